import type pg from "pg";
import {
  alterations,
  identifier,
  type LoginView,
  literal,
  type Merged,
  mergeViews,
  plainValue,
  settingKey,
} from "../../core/login-view";

/** A role as it is now. */
export interface RoleNow {
  readonly name: string;
  readonly login: boolean;
  readonly superuser: boolean;
  /** What its sessions see, in the form that a login of ours gets. */
  readonly view: LoginView;
  /** The same as the server has it. */
  readonly raw: LoginView;
  /** The role that its sessions act as, if it is set. */
  readonly acting: string | undefined;
  /** The owner as it was at the last copy; empty if none was recorded. */
  readonly copied: LoginView;
  readonly comment: string | null;
}

const ROLE = `SELECT oid, rolcanlogin, rolsuper, rolreplication, rolconnlimit,
    CASE WHEN isfinite(rolvaliduntil) THEN to_char(rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'
         WHEN rolvaliduntil = '-infinity' THEN '-infinity' END AS until,
    shobj_description(oid, 'pg_authid') AS comment
  FROM pg_roles WHERE rolname = $1`;

const SETTINGS = `SELECT datname, unnest(setconfig) AS entry
  FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase WHERE setrole = $1`;

/** Reads a role; undefined if there is none. Needs no privilege. */
export async function readRole(client: pg.ClientBase, name: string): Promise<RoleNow | undefined> {
  const [role] = (await client.query(ROLE, [name])).rows;
  if (role === undefined) return undefined;
  const attributes: Record<string, string> = {
    ...(role.rolconnlimit === -1 ? {} : { "connection limit": String(role.rolconnlimit) }),
    ...(role.until === null ? {} : { "valid until": role.until }),
    ...(role.rolreplication ? { replication: "on" } : {}),
  };
  const [view, raw] = [{ ...attributes }, { ...attributes }];
  let acting: string | undefined;
  for (const { datname, entry } of (await client.query(SETTINGS, [role.oid])).rows) {
    const [, setting = "", value = ""] = /^([^=]*)=(.*)$/s.exec(entry) ?? [];
    if (setting === "role" && datname === null) {
      acting = value.replace(/^"(.*)"$/s, "$1").replaceAll('""', '"');
      continue;
    }
    const key = settingKey(setting, datname ?? undefined);
    raw[key] = value;
    view[key] = plainValue(setting, value);
  }
  const { rolcanlogin: login, rolsuper: superuser, comment } = role;
  return { name, login, superuser, view, raw, acting, copied: copiedOf(comment), comment };
}

/** The prefix of the JSON in a login role's comment: the record on the role itself outlives a loss of the stack's state. */
const MARK = "secret-rotation keeps this login equal to its owner, last: ";

function copiedOf(comment: string | null): LoginView {
  const at = comment?.lastIndexOf(MARK) ?? -1;
  if (comment === null || at < 0) return {};
  try {
    return JSON.parse(comment.slice(at + MARK.length)) as LoginView;
  } catch {
    return {};
  }
}

/** What others wrote into the comment stays in front. */
function commentOf({ comment }: Pick<RoleNow, "comment">, owner: RoleNow): string {
  const at = comment?.indexOf(MARK) ?? -1;
  const theirs = comment === null ? "" : at < 0 ? `${comment}\n` : comment.slice(0, at);
  return `${theirs}${MARK}${JSON.stringify(owner.view)}`;
}

/** What the next login gets from the owner and the login in use. */
export const mergedView = (owner: RoleNow, inUse: RoleNow): Merged =>
  inUse.name === owner.name ? { view: owner.view, conflicts: [] } : mergeViews(inUse.copied, owner.view, inUse.view);

/** The statements that make a login role the equal of the one in use. None if they are equal. */
export function copyStatements(owner: RoleNow, view: LoginView, login: RoleNow): string[] {
  const acting = owner.acting ?? owner.name;
  const comment = commentOf(login, owner);
  return [
    ...alterations(login.name, login.raw, view),
    ...(login.acting === acting ? [] : [`ALTER ROLE ${identifier(login.name)} SET role TO ${literal(acting)}`]),
    ...(login.comment === comment ? [] : [`COMMENT ON ROLE ${identifier(login.name)} IS ${literal(comment)}`]),
  ];
}
