import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheRoot } from "../../cli/toolchain/cache";
import { guardFolder } from "./guard";
import type { ServerAccount } from "./postgres-binaries";
import { logTail, startProcess } from "./processes";

/** The administrator's password in a new folder, until the server runs and {@link startPostgres} has set its own. */
export const INITIAL_PASSWORD = "initial";

const ARGS = ["-U", "postgres", "-A", "scram-sha-256", "--locale=C", "--encoding=UTF8", "--wal-segsize=1"];

/**
 * A new data folder below `dir`. `initdb` takes a second of the processor, so it runs once for each PostgreSQL and
 * account; the folder that it made is kept in the toolchain's cache and copied.
 */
export async function makeData(home: string, account: ServerAccount, dir: string): Promise<string> {
  const data = join(dir, "postgres");
  const kept = await keptFolder(home, account);
  if (account.uid !== undefined) await chmod(dir, 0o711);
  if (existsSync(kept)) await copy(kept, data);
  else {
    await initialise(home, account, dir, data);
    await keep(data, kept);
  }
  return data;
}

/** Where the folder for copying is kept; it depends on the server, the arguments and the owner. */
async function keptFolder(home: string, { uid = process.getuid?.() }: ServerAccount): Promise<string> {
  const server = await readFile(join(home, "bin/postgres"));
  const key = createHash("sha256")
    .update(server)
    .update(JSON.stringify([ARGS, uid]))
    .digest("hex")
    .slice(0, 12);
  return join(cacheRoot(process.env), `postgres-data-${key}`);
}

/** If several processes do this at once, one publishes its copy and the others remove theirs. */
async function keep(data: string, kept: string): Promise<void> {
  const own = `${kept}.${randomBytes(4).toString("hex")}`;
  const release = guardFolder(own);
  await mkdir(join(own, ".."), { recursive: true });
  try {
    await copy(data, own);
    await rename(own, kept).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(kept)) throw error;
    });
  } finally {
    await rm(own, { recursive: true, force: true });
    release();
  }
}

/** With the owners and modes, which the server insists on. */
const copy = (from: string, to: string) => promisify(execFile)("cp", ["-a", from, to]);

async function initialise(home: string, account: ServerAccount, dir: string, data: string): Promise<void> {
  const passwordFile = join(dir, "postgres.pw");
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, INITIAL_PASSWORD, { mode: 0o600 });
  if (account.uid !== undefined && account.gid !== undefined) {
    await chown(data, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  const args = ["-D", data, `--pwfile=${passwordFile}`, ...ARGS, "--no-sync", "--no-instructions"];
  const logFile = join(dir, "initdb.log");
  try {
    const initdb = await startProcess({ command: join(home, "bin/initdb"), args, cwd: data, logFile, ...account });
    const end = await initdb.exited;
    if (end !== "exit code 0") throw new Error(`initdb ended with ${end}:\n${logTail(logFile)}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await writeFile(join(data, "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n");
}
