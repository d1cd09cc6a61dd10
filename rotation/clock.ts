import { formatDuration, parseDuration } from "./duration";
import type { SecretState } from "./state";

/** Two machines' clocks may differ by so much. */
const TOLERANCE = parseDuration("5m");

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
