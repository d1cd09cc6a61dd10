import { formatDuration, parseDuration } from "./duration";
import type { SecretState } from "./state";
import { parseTime } from "./time";

/** Two machines' clocks may differ by so much. */
const TOLERANCE = parseDuration("5m");

/**
 * The environment variable by which `rotation run` tells an update when its preview looked, ISO 8601. An update that is
 * held to a plan must come to the same times: what an update that died has done already is known in the preview, so the
 * outputs are too, with the time in them.
 */
export const PLANNED_AT = "SECRET_ROTATION_PLANNED_AT";

/** An older plan is none any more: a variable that was left in a shell must not stop the clock. */
const PLAN_AGE = parseDuration("24h");

/** The moment that an update goes by: that of the plan it is held to, else `now`. */
export function plannedOr(now: Date, plannedAt: string | undefined): Date {
  const at = parseTime(plannedAt);
  if (at === undefined || at > now) return now;
  return now.getTime() - at.getTime() < PLAN_AGE ? at : now;
}

/**
 * A warning where the clock is behind the last step of a secret: nothing becomes due, and no grace period ends, before it
 * has caught up. A state from the future is never a reason to rotate.
 */
export function clockBehind(secret: string, { step }: SecretState, now: Date): string | undefined {
  const behind = Date.parse(step.at) - now.getTime();
  if (behind <= TOLERANCE) return undefined;
  return (
    `${secret}: this machine's clock says ${now.toISOString()}, which is before the last step (${step.action} at ${step.at}). ` +
    `Nothing becomes due before it has caught up (${formatDuration(Math.ceil(behind / 60_000) * 60_000)}): set it right (\`timedatectl\`) and run this again.`
  );
}
