import type { Asked, Found } from "./asked";

/** Words in an expression that mean the login, not the role that it acts as. */
const LOGIN_NAMES = "\\m(session_user|system_user)\\M|session_authorization";

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly relation: string;
  readonly expression: string;
  readonly sql: string;
}

/** Expressions that depend on the login's name: true for the login in use, false for the next one. */
export async function namingProblems({ client, owner, logins, from }: Asked): Promise<Found[]> {
  const { rows } = await client.query<Row>(QUERY, [LOGIN_NAMES, owner.name]);
  return rows
    .filter(({ expression }) => !expression.includes(logins.to))
    .map(({ kind, name, relation, expression, sql }) => ({
      refuse: kind === "policy" || kind === "constraint" || kind === "view",
      text:
        `${kind} ${name}${relation === "" ? "" : ` on ${relation}`} uses the login's own name (${excerpt(expression)}), which ` +
        `becomes ${logins.to} instead of ${from.name}: use current_user, which stays ${owner.acting ?? owner.name}` +
        `${sql === "" ? "" : `: \`${sql}\``}`,
    }));
}

function excerpt(expression: string): string {
  const line = expression.split(/\n/).find((part) => /session_user|system_user|session_authorization/i.test(part));
  return (line ?? expression).trim().slice(0, 120);
}

/** Policies that apply to the owner; constraints, views, defaults and functions outside the system's schemas. */
const QUERY = `
WITH plain AS (SELECT oid FROM pg_namespace WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')),
found AS (
  SELECT 'policy' AS kind, quote_ident(p.polname) AS name, c.oid::regclass::text AS relation,
         concat_ws(' WITH CHECK ', pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)) AS expression,
         format('ALTER POLICY %I ON %s', p.polname, c.oid::regclass)
           || coalesce(' USING (' || pg_get_expr(p.polqual, c.oid) || ')', '')
           || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, c.oid) || ')', '') AS sql
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  WHERE c.relrowsecurity AND EXISTS (
    SELECT FROM unnest(p.polroles) AS role WHERE role = 0 OR pg_has_role($2::name, role, 'MEMBER'))
  UNION ALL
  SELECT 'constraint', quote_ident(conname), conrelid::regclass::text, pg_get_constraintdef(oid), ''
  FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0 AND connamespace IN (SELECT oid FROM plain)
  UNION ALL
  SELECT 'view', oid::regclass::text, '', pg_get_viewdef(oid), ''
  FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace IN (SELECT oid FROM plain)
  UNION ALL
  SELECT 'default', quote_ident(attname), c.oid::regclass::text, pg_get_expr(adbin, adrelid),
         format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT ', c.oid::regclass, attname) || pg_get_expr(adbin, adrelid)
  FROM pg_attrdef JOIN pg_class c ON c.oid = adrelid JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
  WHERE c.relnamespace IN (SELECT oid FROM plain)
  UNION ALL
  SELECT 'function', oid::regprocedure::text, '', pg_get_functiondef(oid), ''
  FROM pg_proc WHERE prokind IN ('f', 'p') AND pronamespace IN (SELECT oid FROM plain) AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
)
SELECT kind, name, relation, expression, regexp_replace(sql, '\\m(session_user|system_user)\\M', 'CURRENT_USER', 'gi') AS sql
FROM found WHERE expression ~* $1 ORDER BY kind, name, relation`;
