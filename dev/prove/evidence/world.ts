import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type pg from "pg";
import { withClient } from "../../../audit/connection";
import { type Anchored, anchorHead } from "../../../audit/evidence/anchoring";
import { makeBundle } from "../../../audit/evidence/make";
import { type AnchorPlace, placeOf } from "../../../audit/evidence/places";
import { type BundleVerdict, verifyBundle } from "../../../audit/evidence/verify";
import { append, migrate } from "../../../audit/log";
import { sshSigner, sshVerifier } from "../../../clients/ssh-signature";
import type { Signer, Verifier } from "../../../core/dsse";
import { DAY } from "../../../core/time";
import type { Moto } from "../../lab/moto";
import { type Postgres, startPostgres } from "../../lab/postgres";

const run = promisify(execFile);

export const STACK = "paper";
export const BUCKET = "anchors";

/** Who signs, and what the verifier trusts. */
export interface Keys {
  readonly signer: Signer;
  readonly verifier: Verifier;
}

/** A log with eight rows, anchored after each, that cases are copied from. */
export interface World {
  readonly postgres: Postgres;
  readonly keys: Keys;
  /** A key that nobody trusts. */
  readonly others: Keys;
  readonly ids: { readonly rows: number };
  /** A copy of the log and of its anchors, for one case. */
  copy(): Promise<Case>;
  stop(): Promise<void>;
}

/** A copy of everything. */
export interface Case {
  readonly world: World;
  readonly log: pg.ClientConfig;
  readonly folder: string;
  readonly file: string;
  readonly repository: string;
  readonly places: Readonly<Record<string, AnchorPlace>>;
  /** As a superuser of the database: with every trigger of the log out of force. */
  superuser(sql: string): Promise<void>;
  append(step: string): Promise<void>;
  /** What a run does at its end. */
  anchor(): Promise<Anchored>;
  /** What `rotation evidence` makes. */
  bundle(signer?: Signer): Promise<Buffer>;
  verify(tar: Buffer, verifier?: Verifier): Promise<BundleVerdict>;
}

const ROWS = 8;

/** An SSH key made by OpenSSH, and the file of allowed signers with it. */
export async function sshKeys(
  folder: string,
  name: string,
): Promise<Keys & { readonly allowed: string; readonly key: string }> {
  const key = join(folder, name);
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key]);
  const allowed = `${name} ${await readFile(`${key}.pub`, "utf8")}`;
  return { signer: sshSigner(key), verifier: sshVerifier(allowed), allowed, key };
}

/**
 * @param given the signer, and an emulator of S3; by default an SSH key, and no bucket
 */
export async function startWorld(given: { keys?: Keys; moto?: Moto } = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "evidence-"));
  let postgres: Postgres | undefined;
  try {
    const server = await startPostgres({ dir, settings: { log_statement: "none" } });
    postgres = server;
    const keys = given.keys ?? (await sshKeys(dir, "runner"));
    const others = await sshKeys(dir, "somebody");
    let cases = 0;
    const caseIn = async (folder: string, database: string, prefix: string): Promise<Case> => {
      const { host, port, adminUser: user, adminPassword: password } = server;
      const log = { host, port, user, password, database };
      const [file, repository] = [join(folder, "anchors.jsonl"), join(folder, "anchors.git")];
      const places = {
        ledger: placeOf({ kind: "file", path: file }, STACK),
        tags: placeOf({ kind: "git", repository }, STACK),
        ...(given.moto === undefined ? {} : { bucket: bucketPlace(given.moto, prefix) }),
      };
      const using = <T>(use: (client: pg.Client) => Promise<T>) => withClient(log, use);
      return {
        world,
        log,
        folder,
        file,
        repository,
        places,
        superuser: (sql) =>
          using(async (client) => {
            await client.query(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
          }),
        append: (step) => using(async (client) => void (await append(client, entry(step)))),
        anchor: () =>
          using((client) => anchorHead(client, { stack: STACK, signer: keys.signer, places, now: new Date() })),
        bundle: async (signer = keys.signer) =>
          (await using((client) => makeBundle(client, { ...input(), places, signer }))).tar,
        verify: (tar, verifier = keys.verifier) => verifyBundle(tar, verifier),
      };
    };
    const world: World = {
      postgres: server,
      keys,
      others,
      ids: { rows: ROWS },
      async copy() {
        const name = `case_${++cases}`;
        const folder = join(dir, name);
        await cp(join(dir, "original"), folder, { recursive: true });
        await server.query(`CREATE DATABASE ${name} TEMPLATE original`, [], "postgres");
        return caseIn(folder, name, "original/");
      },
      async stop() {
        await server.stop();
        await rm(dir, { recursive: true, force: true });
      },
    };
    const folder = join(dir, "original");
    await mkdir(folder);
    await run("git", ["init", "--quiet", "--bare", join(folder, "anchors.git")]);
    await server.query("CREATE DATABASE original", [], "postgres");
    const original = await caseIn(folder, "original", "original/");
    await migrate(original.log);
    for (let row = 1; row <= ROWS; row++) {
      await original.append(`step ${row}`);
      const { failed } = await original.anchor();
      if (Object.keys(failed).length > 0)
        throw new Error(`expected every place to take the anchor: ${JSON.stringify(failed)}`);
    }
    return world;
  } catch (error) {
    await postgres?.stop();
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

const bucketPlace = ({ address, region }: Moto, prefix: string) =>
  placeOf({ kind: "s3", bucket: BUCKET, region, prefix, endpoint: address, lock: DAY as never }, STACK);

const entry = (step: string) => ({
  secretName: "database/password",
  rotatedBy: "ci",
  rotationDate: new Date().toISOString(),
  status: "SUCCESS" as const,
  stack: STACK,
  environment: STACK,
  action: "ROTATE" as const,
  generation: 1,
  reason: "due by age",
  outputs: { path: "secret/paper/database/password", version: 3 },
  durationSeconds: 12.25,
  stepKey: step,
});

const input = () => ({
  about: { project: "secret-rotation", stack: STACK, environment: STACK, madeBy: "ci" },
  from: new Date(Date.now() - 90 * DAY),
  to: new Date(),
  madeAt: new Date(),
  state: [],
  more: new Map([["config.json", Buffer.from('{"environment":"paper"}\n')]]),
  inspect: () => undefined,
});

/** Writes a text over a file's. */
export async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, "utf8")));
}
