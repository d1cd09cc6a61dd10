import { afterAll, beforeAll, beforeEach } from "vitest";
import { withDatabase } from "../../../clients/postgres";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import type { Postgres } from "../../../dev/lab/postgres";
import { copyRole } from "../../../kinds/postgres-password/login-copy";
import type { Logins } from "../../../kinds/postgres-password/preflight/asked";
import { checkLoginRole } from "../../../kinds/postgres-password/preflight/login-role";
import { PASSWORD, referenceOf, startServer, type VERSIONS } from "./servers";

const DAY = 86_400_000;

/** A server with a new owner `traderN` for each test, what a test needs of it, and how it is checked. */
export function useLoginRoles({ home, missing }: (typeof VERSIONS)[number]) {
  let server: Postgres;
  let stop: (() => Promise<void>) | undefined;
  let count = 0;
  let owner = "";

  beforeAll(async () => {
    if (missing) return;
    ({ server, stop } = await startServer(home));
    await server.query("CREATE ROLE readers");
  });
  afterAll(async () => {
    delete process.env.PGPASSWORD;
    await stop?.();
  });
  beforeEach(async () => {
    if (missing) return;
    count += 1;
    owner = `trader${count}`;
    await server.query(`CREATE ROLE ${owner} LOGIN PASSWORD '${PASSWORD}'`);
    await server.query(deploySql("managed-role", { pipeline: PIPELINE, role: owner, database: "trader" }));
  });

  const [a, b] = [() => `${owner}_a`, () => `${owner}_b`];

  /** The two login roles, as the plugin makes them for the pipeline. */
  const makeLogins = () =>
    withDatabase(referenceOf(server, "pipeline"), async (client) => {
      for (const role of [a(), b()]) {
        await client.query(
          `CREATE ROLE ${role} NOLOGIN; GRANT ${owner} TO ${role}; ALTER ROLE ${role} SET role TO '${owner}'`,
        );
      }
    });

  const adoption = (): Logins => ({
    owner,
    from: owner,
    to: b(),
    ours: [a(), b()],
    adopting: true,
    maxAge: 90 * DAY,
  });
  const rotation = (): Logins => ({ ...adoption(), from: b(), to: a(), adopting: false });
  const single = (): Logins => ({ ...adoption(), to: owner, ours: [], adopting: false });

  const check = (
    logins: Logins,
    as: "superuser" | "pipeline" = "pipeline",
    mode: "rotation" | "emergency" = "rotation",
  ) => checkLoginRole(referenceOf(server, as), logins, mode);
  const refusal = (logins: Logins, as?: "superuser" | "pipeline") =>
    check(logins, as).then(
      () => "nothing was refused",
      (error: Error) => error.message,
    );
  const warnings = async (...args: Parameters<typeof check>) => (await check(...args)).warnings;
  const copy = (from: string, to: string, as: "superuser" | "pipeline" = "pipeline") =>
    withDatabase(referenceOf(server, as), (client) => copyRole(client, { owner, from, to }));
  const configOf = async (role: string) =>
    (await server.query("SELECT rolconfig FROM pg_roles WHERE rolname = $1", [role])).rows[0]?.rolconfig;

  return {
    server: () => server,
    owner: () => owner,
    a,
    b,
    makeLogins,
    adoption,
    rotation,
    single,
    check,
    refusal,
    warnings,
    copy,
    configOf,
  };
}
