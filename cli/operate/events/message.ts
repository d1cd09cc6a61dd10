import type { EventData } from "../../../core/events";

/** What a channel for people says: the same for Slack, Teams, PagerDuty and e-mail. */
export interface Message {
  readonly title: string;
  readonly text: string;
  /** The command to run now; undefined if nothing has to be done. */
  readonly command: string | undefined;
  /** Facts, in their order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Who sends it. */
  readonly footer: string;
}

/** An event for people. */
export function messageOf({ summary, text, command, ...data }: EventData): Message {
  const { stack, environment, generation, ageDays, maxAgeDays, auditRow } = data;
  return {
    title: summary,
    text,
    command: command ?? undefined,
    fields: [
      ["Stack", stack],
      ["Environment", environment],
      ...(maxAgeDays === null ? [] : [["Age", `${ageDays ?? "unknown"} of ${maxAgeDays} days`] as const]),
      ...(generation === null ? [] : [["Generation", String(generation)] as const]),
      ...(auditRow === null ? [] : [["Audit row", String(auditRow)] as const]),
    ],
    footer: "Sent by secret-rotation.",
  };
}
