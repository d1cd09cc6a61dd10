import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { identifier } from "../core/login-view";
import { quoted } from "../core/shell-word";
import { withClient } from "./connection";
import { AuditLogError } from "./errors";

const MIGRATIONS_TABLE = "secret_rotation_log_migrations";

// The number of the advisory lock on which two callers that migrate wait for each other.
const LOCK = 1_936_881_266;

const silent = { info: ignore, warn: ignore, error: ignore };

/**
 * Brings the log's tables up to date in the first schema of the connection's search path, or in the schema of an existing
 * `secret_rotation_log`, and repeats the grants of `rotation_audit_writer`. Needs the table's owner.
 * Callers at the same time wait for each other.
 * @returns the names of the migrations that ran now.
 */
export async function migrate(connection: pg.ClientConfig): Promise<string[]> {
  return withClient(connection, migrateWith);
}

/** {@link migrate} on a connection that the caller has open; its search path is set to the log's schema. */
export async function migrateWith(client: pg.Client): Promise<string[]> {
  const directory = packageFile("migrations");
  // Loaded only here: loading takes longer than the answer of a log that is up to date.
  const { runner } = await import("node-pg-migrate");
  const schema = await schemaToMigrate(client);
  await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
  try {
    const ran = await runner({
      dbClient: client,
      dir: directory,
      direction: "up",
      schema,
      migrationsSchema: schema,
      migrationsTable: MIGRATIONS_TABLE,
      lockValue: LOCK,
      logger: silent,
    });
    await client.query(await readFile(packageFile("privileges.sql"), "utf8"));
    return ran.map((migration) => migration.name);
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [LOCK]).catch(ignore);
  }
}

/** Migrates if the tables are older than this program, and touches nothing otherwise: a writer alone may call it. */
export async function migrateIfNeeded(client: pg.Client): Promise<void> {
  if (!(await isCurrent(client))) await migrateWith(client);
}

/** Whether every migration of this program has run. Needs SELECT alone. */
export async function isCurrent(client: pg.Client): Promise<boolean> {
  const table = await client.query<{ found: string | null }>("SELECT to_regclass($1) AS found", [MIGRATIONS_TABLE]);
  if (!table.rows[0]?.found) return false;
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
  const ran = new Set(rows.map((row) => row.name));
  return migrationNames().every((name) => ran.has(name));
}

const migrationNames = () => readdirSync(packageFile("migrations")).map((file) => file.replace(/\.sql$/, ""));

interface Place {
  database: string;
  there: boolean;
  schema: string | null;
  allowed: boolean | null;
}

/**
 * The schema of the log, existing or to be made.
 * @throws AuditLogError for a login that may not make or change it there, with what to do
 */
export async function schemaToMigrate(client: pg.Client): Promise<string> {
  const { rows } = await client.query<Place>(`
    SELECT current_database() AS database, oid IS NOT NULL AS there,
           coalesce((SELECT nspname FROM pg_namespace WHERE pg_namespace.oid = relnamespace), current_schema()) AS schema,
           has_schema_privilege(coalesce(relnamespace, quote_ident(current_schema())::regnamespace), 'CREATE')
             AND coalesce(pg_has_role(relowner, 'USAGE'), true) AS allowed
    FROM (SELECT to_regclass('secret_rotation_log') AS oid) AS log LEFT JOIN pg_class USING (oid)`);
  const { database, there, schema, allowed } = rows[0] as Place;
  if (!schema) {
    throw new AuditLogError(
      `secret_rotation_log has no schema to be in: the search path of user ${client.user} names none that exists. Create one: \`CREATE SCHEMA AUTHORIZATION ${identifier(client.user ?? "")}\``,
    );
  }
  if (allowed) return schema;
  const owner = there ? quoted(await logOwner(client)) : "ADMIN";
  const once =
    `once as ${there ? "its owner" : "an administrator"}: \`PGUSER=${owner} rotation audit migrate\`; then as the same: ` +
    `\`${grantWriter(client)}\``;
  throw new AuditLogError(
    there
      ? `secret_rotation_log in database ${database} needs a migration, and user ${client.user} may not do it in schema ${schema}. Do it ${once}`
      : `database ${database} has no secret_rotation_log, and user ${client.user} may not make it in schema ${schema}. Make it ${once}. Or name the database that has it already (config key \`audit\`)`,
  );
}

/** Who owns the log, and may change it. */
export async function logOwner(client: pg.Client): Promise<string> {
  const sql = "SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = to_regclass('secret_rotation_log')";
  return (await client.query<{ owner: string }>(sql)).rows[0]?.owner ?? "OWNER";
}

/** What lets a login write rows. */
export const grantWriter = ({ user = "" }: pg.Client): string => `GRANT rotation_audit_writer TO ${identifier(user)}`;

/** A file of this folder, from the source as well as from the bundle in `dist/`. */
function packageFile(name: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "audit", "migrations"))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new AuditLogError(`audit/${name} was not found; expected it beside dist/. Run \`npm ci\`.`);
    folder = parent;
  }
  return join(folder, "audit", name);
}

function ignore(): undefined {
  return undefined;
}
