import type { Calendar } from "./calendar";
import { type Duration, parseDuration } from "./duration";

/** How often a secret changes and how long the previous one stays valid. */
export interface Policy {
  /** The age no secret may pass. Default 90 d (runbook, Compliance: PCI DSS 3.6.4). */
  readonly maxAge: Duration;
  /** How long before `maxAge` a rotation is due, so that a daily run is never late. Default 24 h. */
  readonly lead: Duration;
  /** How long the previous credential stays valid after a rotation. Default 24 h (runbook, part B step 5). */
  readonly gracePeriod: Duration;
  /**
   * How long the previous login is kept while it is still in use. Default 7 d; at least `gracePeriod`. After that the
   * login is revoked, and the audit row names its last users.
   */
  readonly gracePeriodMax: Duration;
  /**
   * How long the previous login must be watched and unused before it is revoked. Undefined: it must be unused in the moment
   * of the update.
   */
  readonly quietPeriod?: Duration | undefined;
  /** How long after a rollback the next rotation waits. Default 24 h. */
  readonly retryAfter: Duration;
  /** How much earlier than `lead` says this secret is due, so that not all are due on one day. Default 0. */
  readonly early?: number;
  /** When rotations by age and of new keys may run. Undefined: at any time. */
  readonly calendar?: Calendar | undefined;
}

export const DEFAULT_POLICY: Policy = {
  maxAge: parseDuration("90d"),
  lead: parseDuration("24h"),
  gracePeriod: parseDuration("24h"),
  gracePeriodMax: parseDuration("7d"),
  retryAfter: parseDuration("24h"),
};
