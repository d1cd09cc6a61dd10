import { type AskOptions, askAccount } from "../../clients/alpaca";
import { dueAt, graceEndsAt } from "../../core/deadlines";
import { formatDuration } from "../../core/duration";
import { messageOf } from "../../core/errors";
import type { Policy } from "../../core/policy";
import { other, previousGeneration, type SecretState } from "../../core/state";
import type { AlpacaPlaces } from "./places";
import type { Pair } from "./verify";

/**
 * Whether the previous pair still works: `alive` (200), `gone` (401, while the pair in use answers 200), or `unknown` with
 * the reason.
 */
export type PreviousSeen =
  | { readonly previous: "alive" | "gone" }
  | { readonly previous: "unknown"; readonly because: string };

/** Short: this must never delay an update that has nothing to do with Alpaca. */
const BRIEFLY: AskOptions = { limit: 6000, timeout: 4000 };

/** Queries Alpaca with the previous pair. Never throws. */
export async function seePrevious(
  { baseUrl }: AlpacaPlaces,
  previous: Pair,
  active: Pair | undefined,
  ask: AskOptions = BRIEFLY,
): Promise<PreviousSeen> {
  try {
    const { status } = await askAccount(baseUrl, previous, ask);
    if (status === 200) return { previous: "alive" };
    if (status === 403) return { previous: "unknown", because: "it answers 403, which a deleted key does not" };
    if (active === undefined)
      return { previous: "unknown", because: "the pair in use is not in the config to compare" };
    // If the broker refuses every pair, that says nothing about this key.
    const { status: inUse } = await askAccount(baseUrl, active, ask);
    if (inUse === 200) return { previous: "gone" };
    return { previous: "unknown", because: `the pair in use, ${active.label}, is refused as well (${inUse})` };
  } catch (error) {
    return { previous: "unknown", because: messageOf(error) };
  }
}

/** Something that the operator should know about a key; a `warning` needs an action. */
export interface Notice {
  readonly level: "info" | "warning";
  readonly message: string;
}

export interface NoticesArgs {
  readonly secret: string;
  /** The state after this update. */
  readonly state: SecretState;
  readonly policy: Policy;
  readonly places: Pick<AlpacaPlaces, "dashboard">;
  readonly now: Date;
  /** What Alpaca answered; undefined if it was not queried. */
  readonly seen?: PreviousSeen | undefined;
  /** Whether the config still has the previous pair. */
  readonly hasPrevious: boolean;
}

/** The notices about a secret's keys, for the update, the status and reminders. Pure. */
export function keyNotices(args: NoticesArgs): Notice[] {
  const { secret, state, policy, places, now } = args;
  const due = dueAt(state, policy);
  const overdue: Notice[] =
    now < due
      ? []
      : [
          {
            level: "warning",
            message:
              `${secret}: the key ${state.labels[state.active]} has been due for rotation since ${due.toISOString()} (at most ` +
              `${formatDuration(policy.maxAge)} old). Alpaca lets only you make a new one: ${places.dashboard} → API Keys → ` +
              "Generate New Key (keep the old one), then `rotation alpaca add-key`.",
          },
        ];
  const notice = previousNotice(args);
  return notice === undefined ? overdue : [...overdue, { ...notice, message: `${secret}: ${notice.message}` }];
}

function previousNotice({ secret, state, policy, places, now, seen, hasPrevious }: NoticesArgs): Notice | undefined {
  if (previousGeneration(state) === undefined) return undefined;
  const label = state.labels[other(state.active)];
  if (state.revoked) return hasPrevious ? { level: "info", message: forget(label) } : undefined;
  if (!hasPrevious) {
    const message =
      `whether the key ${label} was deleted is unknown, since its pair is not in the config any more. Put it back as ` +
      `alpacaKeys["${secret}"].previous until an update has seen its end.`;
    return { level: "warning", message };
  }
  const graceEnd = graceEndsAt(state, policy);
  const atOnce =
    state.activatedBy !== undefined
      ? "after the rollback"
      : state.emergency
        ? "after the emergency rotation"
        : undefined;
  const over = now >= graceEnd || atOnce !== undefined;
  if (seen?.previous === "unknown") {
    const message = `whether the key ${label} still works is not known: ${seen.because}. The next update checks again.`;
    return { level: over ? "warning" : "info", message };
  }
  // A pair that is new in this update was not tried yet.
  if (!over)
    return {
      level: "info",
      message: `the key ${label} is deprecated; delete it after ${graceEnd.toISOString()}, not before`,
    };
  if (seen === undefined && atOnce === undefined) return undefined;
  const since = atOnce ?? `though its grace period ended ${graceEnd.toISOString()}`;
  return {
    level: "warning",
    message: `the key ${label} still works ${since}. Delete it: ${places.dashboard} → API Keys → Delete on ${label}. The next update confirms the 401.`,
  };
}

const forget = (label: string | null | undefined) =>
  `the key ${label} is gone; its pair may leave the config: \`rotation alpaca forget-key\`, or set alpacaKeys without \`previous\``;
