import { dueAt, graceEndsAt } from "../../core/deadlines";
import { formatDuration } from "../../core/duration";
import type { Policy } from "../../core/policy";
import { other, previousGeneration, type SecretState } from "../../core/state";
import type { PreviousSeen } from "./previous-key";
import type { IssuerWords, KeyTerms } from "./supplied-kind";

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
  readonly words: KeyTerms & Pick<IssuerWords, "end" | "make">;
  readonly now: Date;
  /** What the issuer answered; undefined if it was not asked. */
  readonly seen?: PreviousSeen | undefined;
  /** Whether the config still has the previous key. */
  readonly hasPrevious: boolean;
}

/** The notices about a secret's keys, for the update, the status and reminders. Pure. */
export function keyNotices(args: NoticesArgs): Notice[] {
  const { secret, state, policy, words, now } = args;
  const due = dueAt(state, policy);
  const overdue: Notice[] =
    now < due
      ? []
      : [
          {
            level: "warning",
            message:
              `${secret}: the key ${state.labels[state.active]} has been due for rotation since ${due.toISOString()} (at most ` +
              `${formatDuration(policy.maxAge)} old). ${words.make}, then \`${words.supply.command}\`.`,
          },
        ];
  const notice = previousNotice(args);
  return notice === undefined ? overdue : [...overdue, { ...notice, message: `${secret}: ${notice.message}` }];
}

function previousNotice(args: NoticesArgs): Notice | undefined {
  const { secret, state, policy, words, now, seen, hasPrevious } = args;
  if (previousGeneration(state) === undefined) return undefined;
  const label = state.labels[other(state.active)];
  const { configKey, value } = words;
  if (state.revoked) return hasPrevious ? { level: "info", message: forget(label, words) } : undefined;
  if (!hasPrevious) {
    const message =
      `whether the key ${label} was deleted is unknown, since its ${value} is not in the config any more. Put it back as ` +
      `${configKey}["${secret}"].previous until an update has seen its end.`;
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
  // A key that is new in this update was not tried yet.
  if (!over)
    return {
      level: "info",
      message: `the key ${label} is deprecated; delete it after ${graceEnd.toISOString()}, not before`,
    };
  if (seen === undefined && atOnce === undefined) return undefined;
  const since = atOnce ?? `though its grace period ended ${graceEnd.toISOString()}`;
  return { level: "warning", message: `the key ${label} still works ${since}. ${words.end(label)}` };
}

const forget = (label: string | null | undefined, words: NoticesArgs["words"]) =>
  `the key ${label} is gone; its ${words.value} may leave the config: \`${words.forget}\`, or set ${words.configKey} without \`previous\``;
