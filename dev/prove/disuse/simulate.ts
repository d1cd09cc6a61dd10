import { graceEndsAt, graceLimitAt } from "../../../core/deadlines";
import { heldBy, type Watch, watched } from "../../../core/disuse";
import type { Duration } from "../../../core/duration";
import { type LoginUse, useWords } from "../../../core/login-use";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY, type Policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse("2026-11-23T02:00:00Z");

/** A client that the config does not name, with the logins that it makes with the old credential. */
export interface Consumer {
  readonly kind: "job every 6 hours" | "short job" | "stuck pool" | "mapping";
  /** When it logs in, from the rotation on, until it is moved to the new login. Milliseconds. */
  readonly logins: readonly number[];
  /** How long the session of each stays open. */
  readonly lasts: number;
  /** When somebody moves it to the new login; after that the server knows nothing of it. */
  readonly moved: number;
  /** Whether it is visible as long as it is there, used or not: a mapping that the run's login may read. */
  readonly shown?: boolean;
}

/** What one simulated rotation showed. */
export interface Simulated {
  readonly logins: number;
  /** Logins before the hard limit that failed since the old one was revoked, by the rule. */
  readonly failed: { readonly quiet: number; readonly moment: number; readonly time: number };
  /** Milliseconds from the rotation to the revocation by the quiet time. */
  readonly revoked: number;
  readonly limit: number;
  /** Whether it was revoked before the limit. */
  readonly early: boolean;
}

/** What can be seen of logins: samples alone, or the server's log as well. */
export interface Sight {
  readonly log: boolean;
  /** Whether consumers are there that samples alone cannot see. */
  readonly shortJobs: boolean;
  /** Whether a consumer may pause for longer than `policy.quietPeriod`. */
  readonly longPauses: boolean;
}

/** A stream of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * One rotation of a random platform with hidden consumers: a simulated server, a watcher with outages, scheduled runs, and the
 * program's own decision.
 */
export function simulate(seed: number, sight: Sight): Simulated {
  const random = randomOf(seed);
  const between = (low: number, high: number) => low + random() * (high - low);
  const interval = between(1, 10) * MINUTE;
  const policy: Policy = {
    ...DEFAULT_POLICY,
    gracePeriod: (24 * HOUR) as Duration,
    quietPeriod: (between(14, 60) * HOUR) as Duration,
  };
  const consumers = consumersOf(random, sight, interval, policy.quietPeriod ?? 0);
  const outages = Array.from({ length: Math.floor(random() * 4) }, () => {
    const from = between(0, 8 * DAY);
    return { from, to: from + between(5 * MINUTE, 16 * HOUR) };
  });
  const rotated = rotation(policy);
  const limit = graceLimitAt(rotated, policy).getTime() - START;
  const grace = graceEndsAt(rotated, policy).getTime() - START;
  const events = timeline(random, interval, outages, limit);

  let watch: Watch | undefined;
  let lastLook = 0;
  let quiet = Number.POSITIVE_INFINITY;
  let moment = Number.POSITIVE_INFINITY;
  for (const { at, looks, runs } of events) {
    const now = new Date(START + at);
    const open = usesAt(consumers, at);
    if (looks) {
      const logged = sight.log ? loginsIn(consumers, lastLook, at) : [];
      const log = sight.log && watch !== undefined ? (random() < 0.0005 ? "broken" : "whole") : undefined;
      watch = watched(watch, { at: now, uses: [...open, ...(log === "whole" ? logged : [])], log });
      lastLook = at;
    }
    if (!runs) continue;
    const previousInUse = useWords(open);
    const decided = (own: Policy) =>
      nextState(rotated, { now, policy: own, hasAdopted: false, previousInUse, previousWatch: watch });
    if (quiet > at && decided(policy).revoked) quiet = at;
    if (moment > at && decided({ ...policy, quietPeriod: undefined }).revoked) moment = at;
    const held = heldBy({ previousInUse, previousWatch: watch }, policy, now);
    if (quiet === at && held !== "" && at < limit) throw new Error(`seed ${seed}: revoked although held by ${held}`);
    if (quiet <= at && moment <= at) break;
  }
  const logins = consumers.flatMap((one) => one.logins.filter((at) => at < one.moved && at < limit));
  const failedFrom = (revoked: number) => logins.filter((at) => at >= revoked).length;
  return {
    logins: logins.length,
    failed: { quiet: failedFrom(quiet), moment: failedFrom(moment), time: failedFrom(grace) },
    revoked: quiet,
    limit,
    early: quiet < limit,
  };
}

/** A secret whose second rotation has just been finished. */
function rotation(policy: Policy): SecretState {
  const at = (time: number) => ({ now: new Date(time), policy, hasAdopted: false });
  const first = nextState(undefined, at(START - 90 * DAY));
  const request = { id: "r", secret: "database/password", rotate: true as const, reason: "simulated" };
  return nextState({ ...first, revoked: true }, { ...at(START), request });
}

interface Event {
  readonly at: number;
  readonly looks: boolean;
  readonly runs: boolean;
}

/** Looks of the watcher, except in its outages; runs about every hour, of which each second looks by itself (`--if-due`). */
function timeline(
  random: () => number,
  interval: number,
  outages: readonly { readonly from: number; readonly to: number }[],
  limit: number,
): Event[] {
  const events: Event[] = [];
  for (let at = random() * interval; at < limit + 2 * HOUR; at += interval) {
    if (!outages.some(({ from, to }) => at >= from && at < to)) events.push({ at, looks: true, runs: false });
  }
  for (let at = random() * HOUR; at < limit + 2 * HOUR; at += HOUR) {
    events.push({ at, looks: random() < 0.5, runs: true });
  }
  return events.sort((a, b) => a.at - b.at);
}

function consumersOf(random: () => number, sight: Sight, interval: number, quiet: number): Consumer[] {
  const between = (low: number, high: number) => low + random() * (high - low);
  const repeated = (kind: Consumer["kind"], period: number, lasts: number): Consumer => {
    const logins: number[] = [];
    for (let at = between(0, period); at < 9 * DAY; at += period * between(0.95, 1.05)) logins.push(at);
    // Moved between two logins, as a restart with the new login does it.
    return { kind, logins, lasts, moved: random() < 0.4 ? Number.POSITIVE_INFINITY : between(0, 9 * DAY) };
  };
  // A session that is open for longer than the time between two looks is seen by one of them.
  const job = () =>
    repeated("job every 6 hours", sight.longPauses ? quiet * 1.2 : 6 * HOUR, interval * between(1.01, 4));
  const pool = () => {
    // It is never without a connection, and makes a new one now and then.
    const one = repeated("stuck pool", between(0.5, 30) * HOUR, Number.POSITIVE_INFINITY);
    return { ...one, logins: [-DAY, ...one.logins] };
  };
  // With the log the run's login may not read the mapping, only see its logins.
  const mapping = () =>
    sight.log
      ? repeated("mapping", between(HOUR, quiet * 0.9), MINUTE)
      : { ...repeated("mapping", between(1, 40) * HOUR, MINUTE), shown: true };
  const short = () => repeated("short job", 6 * HOUR, 5000);
  const kinds = [job, pool, mapping, ...(sight.shortJobs ? [short] : [])];
  return Array.from(
    { length: 1 + Math.floor(random() * 3) },
    () => kinds[Math.floor(random() * kinds.length)]?.() ?? job(),
  );
}

/** The last login up to a moment, if the client was not moved before; undefined if there is none. */
function lastLogin({ logins, moved }: Consumer, at: number): number | undefined {
  let [low, high] = [0, logins.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((logins[middle] as number) <= at && (logins[middle] as number) < moved) low = middle + 1;
    else high = middle;
  }
  return logins[low - 1];
}

const isOpen = (one: Consumer, at: number) =>
  at < one.moved && at < (lastLogin(one, at) ?? Number.NEGATIVE_INFINITY) + one.lasts;

/** What the server shows at a moment. */
function usesAt(consumers: readonly Consumer[], at: number): LoginUse[] {
  return consumers.flatMap((one): LoginUse[] => {
    if (one.shown) return at < one.moved ? [{ kind: "mapping", server: "ledger", mappedFor: "report" }] : [];
    return isOpen(one, at) ? [sessionOf(one)] : [];
  });
}

const loginsIn = (consumers: readonly Consumer[], from: number, to: number): LoginUse[] =>
  consumers.filter((one) => (lastLogin(one, to) ?? Number.NEGATIVE_INFINITY) > from).map(sessionOf);

const sessionOf = ({ kind }: Consumer): LoginUse => ({
  kind: "session",
  application: kind,
  client: "10.0.0.7",
  since: null,
});
