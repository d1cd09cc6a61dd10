import { formatDuration, parseDuration } from "./duration";
import type { SecretState } from "./state";
import { parseTime } from "./time";

/** The difference that is tolerated between two machines' clocks. */
const TOLERANCE = parseDuration("5m");

/**
 * The environment variable by which `rotation run` passes the time of the preview to the update, ISO 8601. An update that
 * is held to a plan must compute the same times: the preview already knows what an interrupted update did, and therefore
 * the outputs, which contain the time.
 */
export const PLANNED_AT = "SECRET_ROTATION_PLANNED_AT";

/** A plan older than this is ignored: a variable that was left in a shell must not stop the clock. */
const PLAN_AGE = parseDuration("24h");

/** The time that an update uses: that of the plan it is held to, else `now`. */
export function plannedOr(now: Date, plannedAt: string | undefined): Date {
  const at = parseTime(plannedAt);
  if (at === undefined || at > now) return now;
  return now.getTime() - at.getTime() < PLAN_AGE ? at : now;
}

/**
 * A warning if the clock is behind the last step of a secret: nothing becomes due, and no grace period ends, before it
 * has caught up. A state from the future is never a reason to rotate.
 */
export function clockBehind(secret: string, { step }: SecretState, now: Date): string | undefined {
  const behind = Date.parse(step.at) - now.getTime();
  if (behind <= TOLERANCE) return undefined;
  return (
    `${secret}: this machine's clock says ${now.toISOString()}, which is before the last step (${step.action} at ${step.at}). ` +
    `Nothing becomes due before it has caught up (${formatDuration(Math.ceil(behind / 60_000) * 60_000)}): correct it (\`timedatectl\`) and run this again.`
  );
}

/** A time to the minute, for people: `2026-11-23 08:05 UTC`. */
export const utc = (date: Date | string): string =>
  `${new Date(date).toISOString().slice(0, 16).replace("T", " ")} UTC`;
