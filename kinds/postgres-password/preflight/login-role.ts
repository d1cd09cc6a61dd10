import type pg from "pg";
import { type DatabaseReference, withDatabase } from "../../../clients/postgres";
import type { PreflightMode } from "../../../core/decide";
import { StepError } from "../../../core/errors";
import { differingKeys, identifier, keyName, literal } from "../../../core/login-view";
import { mergedView, readRole } from "../login-view";
import type { Asked, Found, Logins } from "./asked";
import { accessProblems } from "./login-access";
import { differenceProblems } from "./login-difference";
import { formProblems } from "./password-form";
import { namingProblems } from "./session-user";

/**
 * Whether a session of the next login sees what one of the login in use saw, and lasts as long. Each difference is named
 * with the SQL that fixes it; if a service would break, the check fails.
 */
export function checkLoginRole(
  reference: DatabaseReference,
  logins: Logins,
  mode: PreflightMode,
): Promise<{ readonly evidence: string; readonly warnings: readonly string[] }> {
  return withDatabase(reference, async (client) => {
    const asked = await ask(client, logins, reference.database);
    const found = [
      ...(await ownershipProblems(asked)),
      ...(await accessProblems(asked)),
      ...(await formProblems(asked)),
      ...(logins.owner === logins.to ? [] : await differenceProblems(asked)),
      ...(logins.owner === logins.to ? returnProblems(asked) : await namingProblems(asked)),
    ];
    // If waiting is worse, only the impossible stops it, and that fails by itself.
    const strict = mode === "rotation" || mode === "adoption";
    const refused = found.filter(({ refuse }) => refuse && strict).map(({ text }) => text);
    if (refused.length > 0) throw new StepError(refused.join("; "));
    return { evidence: evidenceOf(asked), warnings: found.map(({ text }) => text) };
  });
}

async function ask(client: pg.ClientBase, logins: Logins, database: string): Promise<Asked> {
  const [admin] = (
    await client.query(
      `SELECT rolname AS name, rolsuper AS superuser, rolreplication AS replication,
              current_setting('server_version_num')::int AS version FROM pg_roles WHERE rolname = current_user`,
    )
  ).rows;
  const [owner, from, to] = [
    await readRole(client, logins.owner),
    await readRole(client, logins.from),
    await readRole(client, logins.to),
  ];
  if (owner === undefined) throw new StepError(`the role ${logins.owner} does not exist`);
  if (from === undefined) throw new StepError(missing(logins.from, logins.owner));
  return { client, logins, admin, owner, from, to, database };
}

const missing = (role: string, owner: string) =>
  `the role ${role} is gone, which this stack made. Make it again: \`CREATE ROLE ${identifier(role)}; GRANT ` +
  `${identifier(owner)} TO ${identifier(role)}; ALTER ROLE ${identifier(role)} SET role = ${literal(owner)}\``;

/** A foreign role with one of our names; a role of ours that is gone, or is no longer a member. */
async function ownershipProblems({ client, logins, admin, owner }: Asked): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of logins.ours) {
    const role = await readRole(client, name);
    // Since PostgreSQL 16 a membership may lack the right to act as the role.
    const mode = admin.version >= 160_000 ? "SET" : "MEMBER";
    const [member] = (await client.query(MEMBERSHIP, [owner.name, name, admin.name, mode])).rows;
    if (role === undefined) {
      if (!logins.adopting) found.push({ refuse: true, text: missing(name, owner.name) });
    } else if (logins.adopting && (!member?.member || ![owner.name, owner.acting].includes(role.acting))) {
      found.push({ refuse: true, text: foreign(name, owner.name) });
    } else if (!member?.member) {
      const options = mode === "SET" ? " WITH INHERIT TRUE, SET TRUE" : "";
      const text = `${name} may not act as ${owner.name} any more: \`GRANT ${identifier(owner.name)} TO ${identifier(name)}${options}\``;
      found.push({ refuse: true, text });
    } else if (!admin.superuser && admin.version >= 160_000 && !member.admin) {
      const text = `${admin.name} may not change the role ${name}: \`GRANT ${identifier(name)} TO ${identifier(admin.name)} WITH ADMIN OPTION\``;
      found.push({ refuse: true, text });
    }
  }
  return found;
}

const MEMBERSHIP = `SELECT pg_has_role(slot.oid, owner.oid, $4) AS member,
    pg_has_role($3::name, slot.oid, 'MEMBER WITH ADMIN OPTION') AS admin
  FROM pg_roles owner, pg_roles slot WHERE owner.rolname = $1 AND slot.rolname = $2`;

const foreign = (name: string, owner: string) =>
  `there is a role ${name} already, and it is not this stack's (it does not act as ${owner}): it would get a new password. ` +
  `Give it another name (\`ALTER ROLE ${identifier(name)} RENAME TO ${identifier(`${name}_old`)}\`), or drop it if it ` +
  `is not needed (\`DROP ROLE ${identifier(name)}\`)`;

/** A return to the platform's own role, which is never changed: settings of the login in use alone are lost. */
function returnProblems({ owner, from }: Asked): Found[] {
  if (from.name === owner.name) return [];
  return differingKeys(owner.view, from.view).map((key) => ({
    refuse: false,
    text: `${keyName(key)} is ${from.view[key] ?? "not set"} for ${from.name} and ${owner.view[key] ?? "not set"} for ${owner.name}, which services log in as again`,
  }));
}

function evidenceOf({ logins, owner, from }: Asked): string {
  if (logins.to === owner.name) return `${owner.name}: its password and its login change, and nothing else`;
  const count = Object.keys(mergedView(owner, from).view).length;
  return `${logins.to} will see what ${logins.from} sees${count === 0 ? "" : ` (${count} settings and limits)`}`;
}
