import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { migrate } from "../../../audit/migrate";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";

/** The servers that the SQL is tried on: the npm package's, and Debian's, which is older. */
export const VERSIONS = [
  { version: 18, home: undefined, missing: false },
  { version: 15, home: "/usr/lib/postgresql/15", missing: !existsSync("/usr/lib/postgresql/15/bin/initdb") },
] as const;

export const PASSWORD = "of-a-test-role";

/** A server in a folder of its own, with the pipeline's login of `deploy/sql` in the database `trader`. */
export async function startServer(home: string | undefined, settings: Record<string, string> = {}) {
  const dir = await mkdtemp(join(tmpdir(), "roles-"));
  try {
    const older = home === undefined ? {} : { home, settings: { log_connections: "on", ...settings } };
    const server = await startPostgres({ dir, settings, ...older });
    await server.query(deploySql("pipeline-login", { pipeline: PIPELINE }));
    await server.query(`ALTER ROLE ${PIPELINE} PASSWORD '${PASSWORD}'`);
    const { host, port, adminUser: user, adminPassword: password } = server;
    await migrate({ host, port, user, password, database: "trader" });
    const stop = async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    };
    return { server, stop };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** How a step reaches the server, as the administrator or as the pipeline; its password goes into the environment. */
export function referenceOf({ host, port, adminUser, adminPassword }: Postgres, as: "superuser" | "pipeline") {
  process.env.PGPASSWORD = as === "superuser" ? adminPassword : PASSWORD;
  const user = as === "superuser" ? adminUser : PIPELINE;
  return { host, port, database: "trader", sslmode: "disable" as const, user };
}

/** A session of a role, closed afterwards. */
export const session = <T>(server: Postgres, user: string, use: (client: pg.Client) => Promise<T>): Promise<T> =>
  server.session(use, { user, password: PASSWORD });
