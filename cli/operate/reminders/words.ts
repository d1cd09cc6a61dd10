import type { Message } from "../events/message";
import type { Reminder } from "./kinds";

/** A reminder for people. */
export interface Words {
  readonly title: string;
  readonly text: string;
  /** The command to run now; undefined if nothing has to be done. */
  readonly command: string | undefined;
}

const minute = (iso: string) => `${iso.slice(0, 16).replace("T", " ")} UTC`;

/** Puts a reminder into words, the same for Slack and e-mail. */
export function wordsOf(reminder: Reminder): Words {
  const { secret, kind, environment, stack, at, ageDays, maxAgeDays, supply, reason, generation } = reminder;
  const what = `${secret} (${environment})`;
  const age = ageDays === null ? "It was adopted at an unknown age" : `It is ${ageDays} days old`;
  const rotate = `rotation ${supply?.command(secret) ?? "run"} --stack ${stack}`;
  const how = supply?.how ?? "If a scheduled run is set up, it rotates the secret, and nothing has to be done.";
  switch (kind) {
    case "warning":
      return {
        title: `${what}: must be rotated by ${minute(at)}`,
        text: `${age} and must not become older than ${maxAgeDays} days. ${how}`,
        command: rotate,
      };
    case "alert":
      return {
        title: `${what}: FINAL WARNING, must be rotated by ${minute(at)}`,
        text: `${age} and must not become older than ${maxAgeDays} days. ${how}`,
        command: rotate,
      };
    case "planned":
      if (supply !== undefined)
        return {
          title: `${what}: a new value is needed before the window at ${minute(at)}`,
          text: `${age}, and this is the window in which it is to be rotated. ${supply.how}`,
          command: rotate,
        };
      return {
        title: `${what}: rotation planned for ${minute(at)}`,
        text: `The next run after that rotates it: services that read it are restarted one at a time, and the old credential stays valid through the grace period.`,
        command: undefined,
      };
    case "no-window":
      return {
        title: `${what}: NO WINDOW LEFT before ${minute(at)}`,
        text: `${age} and must not become older than ${maxAgeDays} days, but ${reason}.`,
        command: `rotation status --stack ${stack}`,
      };
    case "overdue":
      return {
        title: `${what}: OVERDUE, older than ${maxAgeDays} days`,
        text: `It passed ${maxAgeDays} days at ${minute(at)} (PCI DSS 3.6.4 as the runbook cites it). Rotate it now.`,
        command: rotate,
      };
    case "grace-over":
      return {
        title: `${what}: ${supply?.ending.title ?? "grace period over"}`,
        text: supply
          ? `Its grace period ended at ${minute(at)}. ${supply.ending.text(generation)}`
          : `The grace period of the credential before generation ${generation} ended at ${minute(at)}. The next run revokes it.`,
        command: `rotation run --stack ${stack}`,
      };
    case "in-use":
      return {
        title: `${what}: the previous login is still in use`,
        text: `Its grace period is over, and it is still used by ${reason}. Move these users to the login in the store: the previous login is revoked once it is unused (for policy.quietPeriod, if that is set), and at ${minute(at)} in any case (policy.gracePeriodMax).`,
        command: `rotation validate ${secret} --stack ${stack}`,
      };
    case "failed":
      return {
        title: `${what}: a rotation FAILED`,
        text: `At ${minute(at)}: ${reason ?? "no reason was given"}. Generation ${generation} is the last complete one.`,
        command: `rotation diagnose --stack ${stack}`,
      };
  }
}

/** A reminder for the channels of `notify`. */
export function messageOf(reminder: Reminder): Message {
  const { title, text, command } = wordsOf(reminder);
  const { stack, environment, ageDays, maxAgeDays, generation } = reminder;
  return {
    ...{ title, text, command },
    fields: [
      ["Stack", stack],
      ["Environment", environment],
      ["Age", `${ageDays ?? "unknown"} of ${maxAgeDays} days`],
      ["Generation", String(generation)],
    ],
    footer: "Sent once by `rotation remind`.",
  };
}
