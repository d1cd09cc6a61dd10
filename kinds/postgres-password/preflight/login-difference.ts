import { alteration, identifier, keyName, literal, settingOf } from "../../../core/login-view";
import { mergedView } from "../login-view";
import type { Asked, Found } from "./asked";

/** What the next login cannot have, or not without a decision: of its settings, its limits and its memberships. */
export async function differenceProblems(asked: Asked): Promise<Found[]> {
  return [
    ...conflicts(asked),
    ...(await unsettable(asked)),
    ...replication(asked),
    ...(await memberships(asked)),
    ...(await ownObjects(asked)),
  ];
}

/** Changed on the owner and on the login in use, each to another value. */
function conflicts({ owner, from }: Asked): Found[] {
  return mergedView(owner, from).conflicts.map(({ key, owner: theirs, login }) => ({
    refuse: true,
    text:
      `${keyName(key)} was changed on ${owner.name} (${theirs ?? "the default"}) and on ${from.name} ` +
      `(${login ?? "the default"}), which services use: only one can be kept. Keep the owner's: ` +
      `\`${alteration(from.name, key, theirs ?? undefined)}\`; or the login's: \`${alteration(owner.name, key, login ?? undefined)}\``,
  }));
}

/** Settings that the run's login may not give to a role. */
async function unsettable(asked: Asked): Promise<Found[]> {
  const { client, admin, owner, from, to, logins } = asked;
  if (admin.superuser) return [];
  const { view } = mergedView(owner, from);
  const changed = Object.keys(view).filter((key) => to?.raw[key] !== view[key]);
  const names = [...new Set(changed.flatMap((key) => settingOf(key)?.name ?? []))];
  if (names.length === 0) return [];
  const may = admin.version >= 150_000 ? "has_parameter_privilege(name, 'SET')" : "false";
  // A setting that is not in pg_settings is a placeholder, or hidden from this login: both need a privilege.
  const { rows } = await client.query(
    `SELECT name FROM unnest($1::text[]) AS asked(name) LEFT JOIN pg_settings USING (name)
     WHERE coalesce(context, 'superuser') IN ('superuser', 'superuser-backend') AND NOT ${may}`,
    [names],
  );
  return rows.map(({ name }) => ({
    refuse: true,
    text:
      `${from.name} has ${name}, and ${admin.name} may not give it to ${logins.to}, whose sessions would be without it: ` +
      (admin.version >= 150_000
        ? `\`GRANT SET ON PARAMETER ${name} TO ${identifier(admin.name)}\``
        : `as a superuser \`${byHand(asked, name, changed, view)}\``),
  }));
}

/** Before PostgreSQL 15 only a superuser can: on the next login, which is made if it does not exist. */
function byHand(
  { logins, owner, to }: Asked,
  name: string,
  changed: readonly string[],
  view: Readonly<Record<string, string>>,
): string {
  const role = identifier(logins.to);
  const made = [
    `CREATE ROLE ${role}`,
    `GRANT ${identifier(owner.name)} TO ${role}`,
    `ALTER ROLE ${role} SET role = ${literal(owner.name)}`,
  ];
  const sets = changed
    .filter((key) => settingOf(key)?.name === name)
    .map((key) => alteration(logins.to, key, view[key]));
  return [...(to === undefined ? made : []), ...sets].join("; ");
}

function replication({ admin, owner, from, to, logins }: Asked): Found[] {
  const { view } = mergedView(owner, from);
  if (admin.superuser || view.replication === to?.view.replication) return [];
  if (admin.version >= 160_000 && admin.replication) return [];
  const text =
    `${from.name} may replicate, and ${admin.name} may not give that to ${logins.to}: ` +
    (admin.version >= 160_000
      ? `\`ALTER ROLE ${identifier(admin.name)} REPLICATION\``
      : `let a superuser run the rotation, or take it away (\`ALTER ROLE ${identifier(owner.name)} NOREPLICATION\`)`);
  return [{ refuse: true, text }];
}

/** Roles that were granted to the login in use itself; both logins have the owner's memberships through the owner. */
async function memberships({ client, admin, owner, from, logins }: Asked): Promise<Found[]> {
  if (from.name === owner.name) return [];
  const { rows } = await client.query(
    `SELECT g.rolname AS role, array_agg(pg_get_userbyid(m.grantor)::text) AS grantors FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
       JOIN pg_roles f ON f.oid = m.member
     WHERE f.rolname = $1 AND g.rolname <> $2 AND NOT EXISTS (
       SELECT FROM pg_auth_members n JOIN pg_roles t ON t.oid = n.member WHERE n.roleid = m.roleid AND t.rolname IN ($2, $3)) GROUP BY 1 ORDER BY 1`,
    [from.name, owner.name, logins.to],
  );
  return rows.map(({ role, grantors }) => ({
    refuse: true,
    text:
      `${from.name} is a member of ${role} by itself, and ${logins.to} is not: a service that uses \`SET ROLE ${identifier(role)}\` would ` +
      `fail. Give it to the owner, for good: \`GRANT ${identifier(role)} TO ${identifier(owner.name)}\`; or take it away: ` +
      `\`${revocation(admin.version, role, from.name, grantors)}\``,
  }));
}

/** Since PostgreSQL 16 each grantor's grant is one of its own. */
function revocation(version: number, role: string, from: string, grantors: readonly string[]): string {
  const revoke = `REVOKE ${identifier(role)} FROM ${identifier(from)}`;
  if (version < 160_000) return revoke;
  return grantors.map((grantor) => `${revoke} GRANTED BY ${identifier(grantor)}`).join("; ");
}

/** Objects that a login made while it did not act as the owner: they stay its own. */
async function ownObjects({ client, owner, logins }: Asked): Promise<Found[]> {
  const { rows } = await client.query(
    `SELECT r.rolname AS role, count(*)::int AS count FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
     WHERE d.deptype = 'o' AND d.refclassid = 'pg_authid'::regclass AND r.rolname = ANY ($1)
       AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) GROUP BY 1`,
    [logins.ours],
  );
  return rows.map(({ role, count }) => ({
    refuse: false,
    text:
      `${role} owns ${count === 1 ? "an object" : `${count} objects`} of its own (made after \`SET ROLE NONE\`): ` +
      `\`REASSIGN OWNED BY ${identifier(role)} TO ${identifier(owner.name)}\``,
  }));
}
