import type { Client } from "pg";
import type { BridgedResource } from "./bridge";
import { text, texts } from "./coerce";
import { attempt, type PgConnection } from "./pg-client";
import type { Schema } from "./schema";
import type { Properties } from "./values";

const schema: Schema = {
  columns: { kind: "set", forceNew: true },
  database: { required: true, forceNew: true },
  objectType: { required: true, forceNew: true },
  objects: { kind: "set", forceNew: true },
  privileges: { kind: "set", required: true },
  role: { required: true, forceNew: true },
  schema: { forceNew: true },
  withGrantOption: { default: false, forceNew: true },
};

/** `postgresql.Grant` on databases, schemas, tables, sequences, functions and columns. */
export function grantResource(connection: () => PgConnection): BridgedResource {
  const apply = (plan: Properties) =>
    attempt(
      `error granting privileges to ${plan.role}: `,
      connection().transaction((client) => grant(client, plan), String(plan.database)),
    );
  return {
    schema,
    create: async (plan) => {
      await apply(plan);
      return { id: grantId(plan), state: plan };
    },
    update: async (_id, _old, plan) => {
      await apply(plan);
      return plan;
    },
    // The real plugin cannot import grants either: an id does not say all that it needs.
    read: async (_id, old) => {
      if (old === undefined) throw new Error("a grant cannot be imported: declare it, granting again changes nothing");
      const database = String(old.database);
      const held = await attempt(
        `error reading the grants of ${old.role}: `,
        connection().transaction((client) => heldPrivileges(client, old), database),
      );
      return held === undefined ? undefined : { ...old, privileges: held };
    },
    delete: async (_id, state) => {
      const work = connection().transaction(async (client) => {
        if (await roleExists(client, String(state.role))) await client.query(revoke(client, state));
      }, String(state.database));
      await attempt(`error revoking privileges from ${state.role}: `, work);
    },
  };
}

function grantId(plan: Properties): string {
  const parts = [
    plan.role,
    plan.database,
    plan.schema,
    plan.objectType,
    ...texts(plan.objects),
    ...texts(plan.columns),
  ];
  return parts.filter((part) => part !== null && part !== undefined && part !== "").join("_");
}

async function grant(client: Client, plan: Properties): Promise<void> {
  await client.query(revoke(client, plan));
  const privileges = texts(plan.privileges);
  if (privileges.length === 0) return;
  const columns = texts(plan.columns).map((column) => client.escapeIdentifier(column));
  const list = privileges.map((privilege) => {
    if (!/^[A-Za-z ]+$/.test(privilege)) throw new Error(`expected a privilege such as SELECT, found "${privilege}"`);
    return columns.length > 0 ? `${privilege} (${columns.join(", ")})` : privilege;
  });
  const option = plan.withGrantOption === true ? " WITH GRANT OPTION" : "";
  await client.query(`GRANT ${list.join(", ")} ON ${target(client, plan)} TO ${grantee(client, plan)}${option}`);
}

function revoke(client: Client, plan: Properties): string {
  return `REVOKE ALL PRIVILEGES ON ${target(client, plan)} FROM ${grantee(client, plan)}`;
}

function grantee(client: Client, plan: Properties): string {
  const role = String(plan.role);
  return role === "public" ? "PUBLIC" : client.escapeIdentifier(role);
}

function target(client: Client, plan: Properties): string {
  const type = String(plan.objectType);
  if (type === "database") return `DATABASE ${client.escapeIdentifier(String(plan.database))}`;
  const inside = client.escapeIdentifier(text(plan.schema) ?? "public");
  if (type === "schema") return `SCHEMA ${inside}`;
  const kind = type === "column" ? "table" : type;
  if (!/^(table|sequence|function|procedure|routine)$/.test(kind)) {
    throw new Error(`expected objectType database, schema, table, sequence, function or column, found "${type}"`);
  }
  const objects = texts(plan.objects);
  if (objects.length === 0) return `ALL ${kind.toUpperCase()}S IN SCHEMA ${inside}`;
  const names = objects.map((object) => `${inside}.${client.escapeIdentifier(object)}`);
  return `${kind.toUpperCase()} ${names.join(", ")}`;
}

async function roleExists(client: Client, role: string): Promise<boolean> {
  if (role === "public") return true;
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  return (rowCount ?? 0) > 0;
}

const acls: Record<string, string> = {
  database: "SELECT datacl AS acl, datdba AS owner, 'd'::\"char\" AS kind FROM pg_database WHERE datname = $2",
  schema: "SELECT nspacl AS acl, nspowner AS owner, 'n'::\"char\" AS kind FROM pg_namespace WHERE nspname = $2",
};

/** The privileges as the server has them; undefined when the role is gone. Objects inside a schema are taken on trust. */
async function heldPrivileges(client: Client, state: Properties): Promise<string[] | undefined> {
  const role = String(state.role);
  if (!(await roleExists(client, role))) return undefined;
  const source = acls[String(state.objectType)];
  if (source === undefined) return texts(state.privileges);
  const name = state.objectType === "database" ? state.database : (state.schema ?? "public");
  const { rows } = await client.query<{ privilege: string }>(
    `SELECT DISTINCT x.privilege_type AS privilege
     FROM (${source}) t, aclexplode(COALESCE(t.acl, acldefault(t.kind, t.owner))) x
     LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE COALESCE(r.rolname, 'public') = $1 ORDER BY 1`,
    [role, String(name)],
  );
  const held = rows.map((row) => row.privilege);
  const wanted = texts(state.privileges);
  return [...wanted.filter((item) => held.includes(item)), ...held.filter((item) => !wanted.includes(item))];
}
