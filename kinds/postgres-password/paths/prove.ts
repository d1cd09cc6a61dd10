import * as z from "zod";
import { doubling, poll } from "../../../clients/poll";
import { databaseReference, type LoginAnswer, tryLogin } from "../../../clients/postgres";
import { StepError } from "../../../core/errors";
import { type DatabasePath, databasePathsOf, type PathsOfSecret, pathName } from "./schema";

/** {@link DatabasePath} in a step's input. */
export const databasePath = databaseReference.omit({ user: true }).extend({
  limit: z.number(),
  pooler: z.boolean(),
  console: z.string().optional(),
});

/** A login that works over a path, and how long that took. */
export interface ProvenPath {
  readonly path: string;
  readonly seconds: number;
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** Milliseconds until the next try over a path that does not take a login yet: the first, and the longest. */
const [SOON, SELDOM] = [100, 2000];

/**
 * Logs in over every path, all at once, until it works or the path's limit is over: a standby replays the new password
 * later than the server, a pooler asks for it later.
 *
 * @throws StepError that names each path that refuses
 */
export async function proveOverPaths(paths: readonly DatabasePath[], login: Login): Promise<ProvenPath[]> {
  const found = await Promise.all(paths.map((path) => proveOver(path, login)));
  const refused = found.flatMap(({ refusal }) => refusal ?? []);
  if (refused.length > 0) throw new StepError(refused.join("; "));
  return found.map(({ path, seconds }) => ({ path, seconds }));
}

async function proveOver(path: DatabasePath, login: Login): Promise<ProvenPath & { readonly refusal?: string }> {
  const started = performance.now();
  const answer = await poll(
    () => tryLogin(path, login),
    ({ outcome }) => outcome === "works",
    { limit: path.limit, every: (_, asked) => doubling(SOON, SELDOM, asked) },
  );
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const proven = { path: pathName(path), seconds };
  return answer.outcome === "works" ? proven : { ...proven, refusal: refusalOver(path, answer, seconds) };
}

/** The paths, besides the database's own server, over which a login works. */
export async function pathsThatTake(secret: PathsOfSecret, login: Login): Promise<string[]> {
  const tried = databasePathsOf(secret).map(async (path) => ({ path, answer: await tryLogin(path, login) }));
  return (await Promise.all(tried)).flatMap(({ path, answer }) => (answer.outcome === "works" ? [pathName(path)] : []));
}

/** Names the path, and what to check there. */
export function refusalOver(path: DatabasePath, { evidence }: LoginAnswer, seconds?: number): string {
  const after = seconds === undefined ? "" : `, tried for ${seconds} s`;
  const check = path.pooler
    ? "PgBouncer must find the login by auth_query or in its user list, and the database by this name"
    : "if it is a standby, compare pg_last_wal_replay_lsn() there with the primary; if it is a proxy, what it leads to";
  return `over the path ${pathName(path)}: ${evidence}${after} (${check})`;
}
