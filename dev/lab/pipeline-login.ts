import { randomBytes } from "node:crypto";
import pg from "pg";
import { migrate } from "../../audit/migrate";
import { scramVerifier } from "../../core/scram";
import type { LabDatabase } from "./platform";
import { deploySql } from "./policies";
import type { Postgres } from "./postgres";

/** The login that runs the pipeline, with the privileges of `deploy/sql/` and no others. */
export interface PipelineLogin {
  readonly user: string;
  readonly password: string;
}

/** The pipeline's login, as `deploy/sql/` names it. */
export const PIPELINE = "rotation";

/** Makes the login, the audit log in the first database, and what the pipeline may do in each. */
export async function createPipelineLogin(
  postgres: Pick<Postgres, "host" | "port" | "adminUser" | "adminPassword" | "database" | "query">,
  databases: readonly LabDatabase[],
  password: string,
): Promise<PipelineLogin> {
  const { host, port, adminUser, adminPassword, database } = postgres;
  await postgres.query(deploySql("pipeline-login", { pipeline: PIPELINE }));
  // The verifier, because the statement is in the server's log.
  const verifier = scramVerifier(password, randomBytes(16).toString("base64"));
  await postgres.query(`ALTER ROLE ${pg.escapeIdentifier(PIPELINE)} PASSWORD ${pg.escapeLiteral(verifier)}`);
  for (const { role, name } of databases) {
    await postgres.query(deploySql("managed-role", { pipeline: PIPELINE, role, database: name }));
  }
  await migrate({ host, port, user: adminUser, password: adminPassword, database });
  await postgres.query(deploySql("audit-log", { pipeline: PIPELINE, database }));
  return { user: PIPELINE, password };
}
