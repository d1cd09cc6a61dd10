import { OWN_APPLICATIONS } from "../../../clients/postgres";
import { type HbaRule, type HbaUser, hbaDifferences } from "../../../core/hba";
import { identifier } from "../../../core/login-view";
import { mergedView } from "../login-view";
import type { Asked, Found } from "./asked";

/** What could keep the login out, now or before the next rotation. */
export async function accessProblems(asked: Asked): Promise<Found[]> {
  return [
    ...superuser(asked),
    ...validity(asked),
    ...(await connections(asked)),
    ...(await connect(asked)),
    ...(await hostBased(asked)),
    ...(await encryption(asked)),
  ];
}

function superuser({ admin, owner, logins }: Asked): Found[] {
  if (!owner.superuser) return [];
  if (admin.superuser) {
    if (logins.to === owner.name) return [];
    const text = `${owner.name} is a superuser, and ${logins.to} only acts as one: no connection is reserved for it, and it may not use SET SESSION AUTHORIZATION`;
    return [{ refuse: false, text }];
  }
  const text = `${owner.name} is a superuser, and ${admin.name} is not, so it may not change it: \`ALTER ROLE ${identifier(owner.name)} NOSUPERUSER\`, or let a superuser run the rotation`;
  return [{ refuse: true, text }];
}

/** VALID UNTIL is a limit of the password: after it every login fails, whatever the password. */
function validity({ owner, from, logins }: Asked): Found[] {
  const until = mergedView(owner, from).view["valid until"];
  const due = new Date(Date.now() + logins.maxAge);
  if (until === undefined || (until !== "-infinity" && Date.parse(`${until.replace(" ", "T")}:00`) > due.getTime()))
    return [];
  const role = from.view["valid until"] === undefined ? owner.name : from.name;
  return [
    {
      refuse: true,
      text:
        `${role} is valid until ${until}, and so would the new login be, before the next rotation is due ` +
        `(${due.toISOString().slice(0, 10)}): logins would end then. \`ALTER ROLE ${identifier(role)} VALID UNTIL 'infinity'\``,
    },
  ];
}

/** The proof of the login needs a connection of its own, besides those of the services. */
async function connections({ client, owner, from }: Asked): Promise<Found[]> {
  const limit = Number(mergedView(owner, from).view["connection limit"] ?? -1);
  if (limit < 0) return [];
  const { rows } = await client.query(
    "SELECT count(*)::int AS used FROM pg_stat_activity WHERE usename = $1 AND application_name <> ALL ($2)",
    [from.name, OWN_APPLICATIONS],
  );
  const used = Number(rows[0].used);
  if (used < limit) return [];
  const text =
    `${from.name} has ${used} sessions and may have ${limit}: the new login could not be proven beside them. ` +
    `\`ALTER ROLE ${identifier(from.name)} CONNECTION LIMIT ${used + 2}\``;
  return [{ refuse: true, text }];
}

async function connect({ client, owner, to, database, logins }: Asked): Promise<Found[]> {
  if (logins.to === owner.name) return [];
  // A login role that is made in this update gets what the owner has.
  const role = to?.name ?? owner.name;
  const { rows } = await client.query("SELECT has_database_privilege($1::name, $2::text, 'CONNECT') AS may", [
    role,
    database,
  ]);
  if (rows[0].may) return [];
  const sql = `GRANT CONNECT ON DATABASE ${identifier(database)} TO ${identifier(owner.name)}`;
  return [{ refuse: true, text: `${role} may not connect to ${database}: \`${sql}\`` }];
}

/** pg_hba.conf, if it may be read; otherwise the first login, before the store is written, shows its effect. */
async function hostBased({ client, owner, database, logins }: Asked): Promise<Found[]> {
  if (logins.to === owner.name) return [];
  const may = await client.query(
    "SELECT has_function_privilege('pg_hba_file_rules()', 'EXECUTE') AND has_table_privilege('pg_hba_file_rules', 'SELECT') AS may",
  );
  if (!may.rows[0].may) return [];
  const groups = `ARRAY(SELECT g.rolname::text FROM pg_roles g, pg_roles r WHERE r.rolname = $1 AND NOT g.rolsuper
    AND pg_has_role(r.oid, g.oid, 'MEMBER')) AS groups`;
  const { rows: rules } = await client.query<HbaRule>(
    `SELECT line_number AS line, type, database AS databases, user_name AS users, address, netmask, auth_method AS method
     FROM pg_hba_file_rules r WHERE error IS NULL ORDER BY (to_jsonb(r) ->> 'rule_number')::int, line_number`,
  );
  const theirs = (await client.query(`SELECT ${groups}`, [owner.name])).rows[0].groups as string[];
  const [user, login]: HbaUser[] = [
    { name: owner.name, groups: [owner.name, ...theirs] },
    { name: logins.to, groups: [logins.to, owner.name, ...theirs] },
  ] as const;
  if (user === undefined || login === undefined) return [];
  return hbaDifferences(rules, database, user, login).map(({ rule, other }) => ({
    refuse: true,
    text:
      `pg_hba.conf lets ${owner.name} in by line ${rule.line} (${rule.type} ${rule.databases.join(",")} ` +
      `${rule.users.join(",")} ${rule.address ?? ""}), and ${logins.to} not` +
      `${other === undefined ? "" : ` (line ${other.line}: ${other.method})`}: write +${owner.name} for ${owner.name} there, which ` +
      "lets in every member of it, then `SELECT pg_reload_conf()`",
  }));
}

/** Our verifiers are SCRAM-SHA-256, whatever the server's own setting. */
async function encryption({ client, owner, from, admin, logins }: Asked): Promise<Found[]> {
  const { rows } = await client.query("SELECT current_setting('password_encryption') AS encryption");
  if (logins.passwordAs === "plain") {
    const text = `password_encryption is md5: the server keeps an MD5 hash of ${owner.name}'s new password; prefer scram-sha-256`;
    return rows[0].encryption === "md5" ? [{ refuse: false, text }] : [];
  }
  const stored = admin.superuser
    ? (await client.query("SELECT rolpassword LIKE 'md5%' AS md5 FROM pg_authid WHERE rolname = $1", [from.name])).rows
    : [];
  if (rows[0].encryption !== "md5" && stored[0]?.md5 !== true) return [];
  const whose = stored[0]?.md5 === true ? `${from.name} has an md5 password` : "the server makes md5 passwords";
  return [
    {
      refuse: false,
      text:
        `${whose}; the new password of ${owner.name} is kept as SCRAM-SHA-256, with which libpq before 10, JDBC before 42.2, ` +
        "Npgsql before 4.0 and PgBouncer before 1.11 cannot log in",
    },
  ];
}
