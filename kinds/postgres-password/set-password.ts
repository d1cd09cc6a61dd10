import type pg from "pg";
import { scramVerifier } from "../../core/scram";

/** In which form the server gets a password. */
export type PasswordAs = "scram" | "plain";

/** A role's new password. */
export interface NewPassword {
  readonly role: string;
  readonly password: string;
  /** 16 bytes, base64. */
  readonly salt: string;
  readonly as: PasswordAs;
}

/** Gives a role its password: as a verifier, or, if the server takes none, as plain text that its log does not show. */
export async function setPassword(client: pg.ClientBase, { role, password, salt, as }: NewPassword): Promise<void> {
  if (as === "plain") return setPlain(client, role, password);
  const verifier = scramVerifier(password, salt);
  await client.query(`ALTER ROLE ${client.escapeIdentifier(role)} PASSWORD ${client.escapeLiteral(verifier)}`);
}

/**
 * The password is a parameter and never a part of a statement's text; an error's context, which would show the inner
 * statement, is dropped. Parameters may be logged too: whoever may turn that off does, for this transaction.
 */
async function setPlain(client: pg.ClientBase, role: string, password: string): Promise<void> {
  await client.query("BEGIN");
  try {
    for (const { name, setting, quiet } of await loudSettings(client))
      if (quiet !== undefined && quiet !== setting)
        await client.query("SELECT set_config($1, $2, true)", [name, quiet]);
    await client.query("SELECT set_config('rotation.role', $1, true), set_config('rotation.password', $2, true)", [
      role,
      password,
    ]);
    await client.query(ALTER_ROLE);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

const ALTER_ROLE = `DO $do$ BEGIN
  EXECUTE format('ALTER ROLE %I PASSWORD %L', current_setting('rotation.role'), current_setting('rotation.password'));
EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION USING MESSAGE = SQLERRM, ERRCODE = SQLSTATE;
END $do$`;

/** By which settings a server logs parameters, and the value at which each does not. */
const QUIET: Readonly<Record<string, string>> = {
  log_statement: "none",
  log_min_duration_statement: "-1",
  log_min_duration_sample: "-1",
  log_transaction_sample_rate: "0",
  "pgaudit.log": "none",
  "auto_explain.log_min_duration": "-1",
};

interface Loud {
  readonly name: string;
  readonly setting: string;
  /** The value that does not log; undefined if this login may not set it. */
  readonly quiet: string | undefined;
}

/** The settings by which the server would log the parameters of a statement; empty if it logs none. */
async function loudSettings(client: pg.ClientBase): Promise<Loud[]> {
  const { rows } = await client.query<{ name: string; setting: string; settable: boolean }>(
    `SELECT name, setting, ${
      (await version(client)) >= 150_000
        ? "has_parameter_privilege(name, 'SET')"
        : "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    } AS settable FROM pg_settings WHERE name = ANY ($1)`,
    [[...Object.keys(QUIET), "log_parameter_max_length", "pgaudit.log_parameter"]],
  );
  const settingOf = (name: string) => rows.find((row) => row.name === name)?.setting;
  const hidden = (name: string) =>
    name.startsWith("pgaudit")
      ? settingOf("pgaudit.log_parameter") === "off"
      : settingOf("log_parameter_max_length") === "0";
  return rows
    .filter(({ name, setting }) => isLoud(name, setting) && !hidden(name))
    .map(({ name, setting, settable }) => ({ name, setting, quiet: settable ? QUIET[name] : undefined }));
}

/** Of `log_statement` only `all` logs a SELECT and its parameters. */
const isLoud = (name: string, setting: string): boolean =>
  name === "log_statement" ? setting === "all" : Object.hasOwn(QUIET, name) && setting !== QUIET[name];

/** The settings by which a plain password would reach the log, and which this login may not turn off. */
export const logsPassword = async (client: pg.ClientBase): Promise<string[]> =>
  (await loudSettings(client))
    .filter(({ quiet }) => quiet === undefined)
    .map(({ name, setting }) => `${name} = ${setting}`);

async function version(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query("SELECT current_setting('server_version_num')::int AS version");
  return rows[0].version;
}
