import type pg from "pg";
import type { LogPlace } from "../../audit/login-watch";
import { poll } from "../../clients/poll";
import { APPLICATION } from "../../clients/postgres";
import type { Look } from "../../core/disuse";
import type { LoginUse } from "../../core/login-use";

/** What the server's log says of a login since the last look. */
export interface LoggedUse {
  readonly uses: readonly LoginUse[];
  /** Up to where it was read. */
  readonly place: LogPlace | null;
  /** `whole`: without a hole since the last look, this run's own login with it. Undefined: it may not be read. */
  readonly read: Look["log"];
}

interface Line {
  readonly file: string;
  readonly size: number;
  readonly line: string | null;
}

const UNREAD: LoggedUse = { uses: [], place: null, read: undefined };

/** How long the server's log collector may take to write this run's own login, in milliseconds. */
const PATIENCE = { limit: 2000, every: 100 };

/**
 * The logins as `role` in the server's log (`deploy/sql/login-log.sql`). That the log names every login is proven by this
 * session's own login in it. Never throws: what cannot be read is broken.
 */
export async function loginsInLog(client: pg.ClientBase, role: string, after: LogPlace | null): Promise<LoggedUse> {
  const { rows } = await client.query<{ pid: number; own: string }>(
    `SELECT pg_backend_pid() AS pid, session_user AS own
     FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'rotation_login_log' AND proname = 'logins'
       AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')`,
  );
  const [session] = rows;
  if (session === undefined) return UNREAD;
  const { pid, own } = session;
  const isOwn = ({ line }: Line) => line !== null && isLogin(line, own) && new RegExp(`\\b${pid}\\b`).test(line);
  try {
    const lines = await poll(
      () => read(client, after),
      (found) => found.length === 0 || found.some(isOwn),
      PATIENCE,
    );
    const ends = lines.filter(({ line }) => line === null);
    const last = ends.at(-1);
    const hasOwn = lines.some(isOwn);
    return {
      uses: lines
        .flatMap(({ line }) => (line !== null && isLogin(line, role) ? [useOf(line)] : []))
        .filter(({ application }) => application !== APPLICATION),
      place: last === undefined || !hasOwn ? null : { file: last.file, size: last.size },
      read: hasOwn && after !== null && ends[0]?.file === after.file ? "whole" : "broken",
    };
  } catch {
    return { ...UNREAD, read: "broken" };
  }
}

const read = async (client: pg.ClientBase, after: LogPlace | null): Promise<Line[]> =>
  (
    await client.query<Line>("SELECT file, size::float8 AS size, line FROM rotation_login_log.logins($1, $2)", [
      after?.file ?? null,
      after?.size ?? null,
    ])
  ).rows;

/** A line has a character for each byte. */
const bytes = (text: string) => Buffer.from(text).toString("latin1");
const text = (line: string) => Buffer.from(line, "latin1").toString();

const MARK = "connection authorized: user=";

/** Whether a line, of any of the three formats, is a login as this role. */
function isLogin(line: string, role: string): boolean {
  const start = line.indexOf(MARK);
  const rest = start < 0 ? "" : line.slice(start + MARK.length);
  return (
    rest.startsWith(bytes(role)) &&
    /^( database=| application_name=| SSL | GSS |["\r]|$)/.test(rest.slice(bytes(role).length))
  );
}

/** Who a line is about, as far as its format says it: JSON and CSV have the client's address. */
function useOf(line: string): LoginUse & { readonly application: string } {
  const application = / application_name=(.*?)(?: SSL enabled| GSS \(|["\r]|$)/.exec(line)?.[1] ?? "";
  const address =
    /"remote_host":"([^"]*)"/.exec(line)?.[1] ?? /^[^,]*,"[^"]*","[^"]*",\d+,"([^"]*):\d+",/.exec(line)?.[1];
  return {
    kind: "session",
    application: text(application),
    client: address ?? "an address that the log does not name",
    since: null,
  };
}
