import { utc } from "./clock";
import { type Duration, formatDuration, parseDuration } from "./duration";
import { type LoginUse, useName } from "./login-use";
import type { Policy } from "./policy";

/** The longest time between two looks that still counts as watched. */
export const WATCH_GAP: Duration = parseDuration("15m");

/** The same if the server's log names every login of the time between. Not more: a log file's name may come again. */
export const LOG_GAP: Duration = parseDuration("25h");

/** The most users of a login that are kept: those that were seen last. */
const MOST = 50;

/** Who was seen with a login, and when. Times are ISO 8601, UTC. */
export interface Seen {
  /** As {@link useName} says it. */
  readonly user: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** What was seen of a previous login since somebody looks. Holds no secret. */
export interface Watch {
  readonly from: string;
  /** The last look. */
  readonly to: string;
  /** Since when there is no gap between two looks. */
  readonly unbrokenSince: string;
  readonly samples: number;
  /** How often a gap made the quiet time begin anew. */
  readonly gaps: number;
  /** Null if no use was ever seen. */
  readonly lastUse: string | null;
  /** The newest first. */
  readonly users: readonly Seen[];
}

/** One look at who uses a login. */
export interface Look {
  readonly at: Date;
  readonly uses: readonly LoginUse[];
  /**
   * The server's log since the last look: `whole` if every login that it has is among `uses`, `broken` if there is a hole, which
   * is a gap. Undefined: it is not read, and a login that begins and ends between two looks is not seen.
   */
  readonly log?: "whole" | "broken" | undefined;
  /** Whether there are logins that the log does not know: on poolers and standbys. Default false. */
  readonly elsewhere?: boolean;
}

/** A watch with one look more. A late look counts, and does not set the time back; a clock that was set back is a gap. */
export function watched(watch: Watch | undefined, { at, uses, log, elsewhere = false }: Look): Watch {
  const now = at.toISOString();
  const lastUse = uses.length === 0 ? (watch?.lastUse ?? null) : later(watch?.lastUse ?? now, now);
  const users = merged(watch?.users ?? [], uses, now);
  if (watch === undefined) return { from: now, to: now, unbrokenSince: now, samples: 1, gaps: 0, lastUse, users };
  const between = at.getTime() - Date.parse(watch.to);
  const most = log === "whole" && !elsewhere ? LOG_GAP : WATCH_GAP;
  const isGap = log === "broken" || between > most || between < -WATCH_GAP;
  return {
    from: watch.from,
    to: isGap ? now : later(watch.to, now),
    unbrokenSince: isGap ? now : watch.unbrokenSince,
    samples: watch.samples + 1,
    gaps: watch.gaps + (isGap ? 1 : 0),
    lastUse,
    users,
  };
}

/** ISO 8601 in UTC with milliseconds sorts as text. */
const later = (a: string, b: string): string => (a > b ? a : b);

function merged(before: readonly Seen[], uses: readonly LoginUse[], now: string): Seen[] {
  const users = new Map(before.map((seen) => [seen.user, seen]));
  for (const use of uses) {
    const user = useName(use);
    const known = users.get(user);
    const since = use.kind === "session" ? (use.since ?? now) : now;
    users.set(user, {
      user,
      firstSeen: known?.firstSeen ?? since,
      lastSeen: known === undefined ? now : later(known.lastSeen, now),
    });
  }
  const sorted = [...users.values()].sort(
    (a, b) => b.lastSeen.localeCompare(a.lastSeen) || a.user.localeCompare(b.user),
  );
  return sorted.slice(0, MOST);
}

/** Since when a login is unused and watched without a gap. */
export const quietSince = ({ unbrokenSince, lastUse }: Watch): string => later(unbrokenSince, lastUse ?? unbrokenSince);

/** Who used it at the last look. */
export const usersNow = ({ users, to, lastUse }: Watch): readonly Seen[] =>
  lastUse !== null && lastUse >= to ? users.filter(({ lastSeen }) => lastSeen >= to) : [];

/** What an update knows of the use of a previous login. */
export interface UseSeen {
  /** Who uses it now, in words, as the server says; empty if nobody does. Undefined: not asked, and nothing keeps it. */
  readonly previousInUse?: string | undefined;
  /** What was seen of it since the rotation; undefined if nobody looked. Read only with `policy.quietPeriod`. */
  readonly previousWatch?: Watch | undefined;
}

/**
 * What keeps a login whose grace period is over, in words: who uses it, or why it is not proven that nobody does; empty if
 * nothing keeps it. Without `policy.quietPeriod`, who uses it in this moment. Pure: the clock is an argument.
 */
export function heldBy({ previousInUse, previousWatch }: UseSeen, policy: Policy, now: Date): string {
  const { quietPeriod } = policy;
  if (previousInUse !== "" || quietPeriod === undefined) return previousInUse ?? "";
  if (previousWatch === undefined) return "unknown (nobody watched it: no `rotation watch` has run)";
  const { to, lastUse } = previousWatch;
  if (Math.abs(now.getTime() - Date.parse(to)) > WATCH_GAP) return `unknown (nobody has watched it since ${utc(to)})`;
  const since = quietSince(previousWatch);
  // What was not watched is no evidence: quiet until the last look, and not until now.
  const quiet = Math.min(now.getTime(), Date.parse(to)) - Date.parse(since);
  if (quiet >= quietPeriod) return "";
  const needed = `policy.quietPeriod is ${formatDuration(quietPeriod)}`;
  if (lastUse !== since) return `unknown (watched without a gap only since ${utc(since)}; ${needed})`;
  const last = previousWatch.users.filter(({ lastSeen }) => lastSeen === lastUse).map(({ user }) => user);
  return `${last.join("; ")}, last seen ${utc(since)} (${needed})`;
}

/** Why a login that nothing keeps is revoked, for the audit row. */
export function unusedWords({ previousWatch }: UseSeen, { quietPeriod }: Policy): string {
  if (quietPeriod === undefined || previousWatch === undefined) return "grace period over";
  return `unused since ${utc(quietSince(previousWatch))}, watched without a gap (policy.quietPeriod ${formatDuration(quietPeriod)})`;
}

/** What an audit row says that a revocation rests on. */
export const evidenceOf = ({ from, to, unbrokenSince, samples, gaps, lastUse, users }: Watch) => ({
  watchedFrom: from,
  watchedTo: to,
  unbrokenSince,
  samples,
  gaps,
  lastUse,
  lastUsers: users.filter(({ lastSeen }) => lastSeen === lastUse).map(({ user }) => user),
});

/** Who was seen with a login, for people: `nightly-reconcile from 10.0.0.7, since 2026-11-24 02:10 UTC, last seen ...`. */
export const seenWords = ({ user, firstSeen, lastSeen }: Seen): string =>
  `${user}, since ${utc(firstSeen)}, last seen ${utc(lastSeen)}`;
