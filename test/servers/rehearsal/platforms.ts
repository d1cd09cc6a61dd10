import fc from "fast-check";
import { type ConnectionConfig, withSession } from "../../../clients/postgres";
import { copyRole } from "../../../kinds/postgres-password/login-copy";
import { checkLoginRole } from "../../../kinds/postgres-password/preflight/login-role";
import type { Rehearsal } from "../../../kinds/postgres-password/rehearsal/input";
import type { Rehearsed } from "../../../kinds/postgres-password/rehearsal/result";
import type { Stage } from "./stage";
import { PASSWORD, verifierOf } from "./stage-servers";

/** Settings that a role may have, each with values that are not its default. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  search_path: ["desk, public", '"$user", "odd, name", desk', "''"],
  statement_timeout: ["'29s'", "2000", "'1min'", "0"],
  idle_in_transaction_session_timeout: ["'60s'", "1500"],
  TimeZone: ["'America/New_York'", "'Asia/Kathmandu'"],
  default_transaction_isolation: ["'repeatable read'"],
  default_transaction_read_only: ["on"],
  work_mem: ["'5MB'"],
  DateStyle: ["'German, DMY'"],
  bytea_output: ["'escape'"],
  log_statement: ["'ddl'"],
  "app.tenant": ["'desk 7'", "'it''s \\ mine'"],
};

const setting = fc
  .constantFrom(...Object.entries(SETTINGS).flatMap(([name, values]) => values.map((value) => ({ name, value }))))
  .chain(({ name, value }) => fc.boolean().map((here) => ({ name, value, here })));
const settings = (most: number) =>
  fc.uniqueArray(setting, { maxLength: most, selector: ({ name, here }) => `${name} ${here}` });

/** A platform without a fault: its roles, what was changed on them by hand, and its readers. */
export interface Platform {
  readonly owner: readonly { name: string; value: string; here: boolean }[];
  /** Changed on the login in use by hand. */
  readonly byHand: Platform["owner"];
  /** Changed on the owner since the last rotation. */
  readonly later: Platform["owner"];
  readonly limit: number;
  readonly groups: readonly string[];
  readonly flags: readonly string[];
  readonly readers: readonly { place: number; paths: readonly number[] | null; parameters: boolean; tls: boolean }[];
  /** Whether services and others use the platform meanwhile. */
  readonly busy: boolean;
}

const reader = fc.record({
  place: fc.integer({ min: 0, max: 2 }),
  paths: fc.option(fc.subarray([0, 1, 2], { minLength: 1 })),
  parameters: fc.boolean(),
  tls: fc.boolean(),
});

export const platforms: fc.Arbitrary<Platform> = fc.record({
  owner: settings(5),
  byHand: settings(2),
  later: settings(2),
  limit: fc.constantFrom(-1, -1, 8, 61),
  groups: fc.subarray(["reporting", "risk"]),
  flags: fc.subarray(["NOINHERIT", "CREATEDB", "BYPASSRLS", "REPLICATION", "CREATEROLE"]),
  readers: fc.array(reader, { minLength: 1, maxLength: 4 }),
  busy: fc.boolean(),
});

const sets = (role: string, all: Platform["owner"]) =>
  all.map(({ name, value, here }) => `ALTER ROLE ${role} ${here ? "IN DATABASE trader " : ""}SET ${name} TO ${value}`);

/** Sets the platform up, and rotates as an update does up to the rehearsal. Undefined if the preflight refuses it. */
export async function rotateTo(
  stage: Stage,
  platform: Platform,
  number: number,
): Promise<Rehearsed | string | undefined> {
  const owner = `r${number}`;
  const [a, b] = [`${owner}_a`, `${owner}_b`];
  const run = async (statements: readonly string[]) => {
    for (const statement of statements) await stage.sql(statement);
  };
  await run([
    `CREATE ROLE ${owner} NOLOGIN CONNECTION LIMIT ${platform.limit} ${platform.flags.join(" ")}`,
    ...platform.groups.map((group) => `GRANT ${group} TO ${owner}`),
    ...sets(owner, platform.owner),
    `CREATE TABLE desk.of_${owner} (id int); ALTER TABLE desk.of_${owner} OWNER TO ${owner}; GRANT USAGE ON SCHEMA desk TO ${owner}`,
    ...[a, b].map(
      (role) =>
        `CREATE ROLE ${role} LOGIN PASSWORD '${verifierOf()}'; GRANT ${owner} TO ${role}; ALTER ROLE ${role} SET role TO '${owner}'`,
    ),
  ]);
  const copy = (from: string, to: string) => stage.primary.session((client) => copyRole(client, { owner, from, to }));
  await copy(owner, a);
  await run([...sets(a, platform.byHand), ...sets(owner, platform.later)]);
  const logins = { owner, from: a, to: b, ours: [a, b], adopting: false, maxAge: 1000 };
  const refused = await checkLoginRole(stage.admin(), logins, "rotation").then(
    () => false,
    () => true,
  );
  if (refused) return undefined;
  await copy(a, b);
  await stage.userlist({ [a]: verifierOf(), [b]: verifierOf() });
  await stage.caughtUp();
  const use = platform.busy ? await busy(stage, a) : undefined;
  try {
    return await stage.run(inputOf(stage, platform, owner));
  } finally {
    await use?.();
    // Otherwise PgBouncer keeps the connections of every platform's logins, until the server has none left.
    await stage.console("RECONNECT trader");
  }
}

function inputOf(stage: Stage, { readers }: Platform, owner: string): Rehearsal {
  const given = stage.input();
  const names = ["primary", `127.0.0.1:${stage.standbyPort}`, `127.0.0.1:${stage.pooler.port}`];
  for (const place of given.places) place.readers = [];
  for (const [index, { place, paths, parameters, tls }] of readers.entries()) {
    const over = paths === null ? {} : { paths: paths.flatMap((path) => names[path] ?? []) };
    // PgBouncer takes neither: such a service uses the server itself.
    const direct = paths !== null && !paths.includes(2);
    given.places[place]?.readers.push({
      services: [`service-${index}`],
      ...over,
      ...(parameters && direct ? { parameters: { search_path: "desk", lock_timeout: "3s" } } : {}),
      ...(tls && direct ? { sslmode: "verify-full", sslrootcert: stage.file("ca.pem") } : {}),
    });
  }
  return {
    ...given,
    owner,
    login: { username: `${owner}_b`, password: PASSWORD },
    old: { username: `${owner}_a`, password: PASSWORD },
  };
}

/** Services with the login in use that leave settings behind in the pooler's connections, and tables that come and go. */
async function busy(stage: Stage, user: string): Promise<() => Promise<void>> {
  let over = false;
  const again = async (what: () => Promise<unknown>) => {
    while (!over) await what();
  };
  const pooled: ConnectionConfig = {
    host: "127.0.0.1",
    port: stage.pooler.port,
    database: "trader",
    user,
    password: PASSWORD,
  };
  const services = again(() =>
    withSession(pooled, (client) => client.query("SET statement_timeout TO 1234; SET ROLE NONE; SELECT 1")),
  );
  const tables = again(() => stage.sql("CREATE TABLE desk.passing (id int); DROP TABLE desk.passing"));
  return async () => {
    over = true;
    await Promise.all([services, tables]);
  };
}
