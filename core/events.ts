import * as z from "zod";
import type { Action } from "./state";

/**
 * What an event is about. The first four come from an update, the others from `rotation remind` and `rotation events
 * deliver`. A type is only ever added.
 */
export const EVENT_TYPES = [
  ...(["started", "finished", "failed", "rolled-back"] as const),
  ...(["due", "overdue", "grace-over", "warning", "alert", "planned", "in-use", "no-window"] as const),
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The event of an update that has succeeded. */
export const endOf = (action: Action): EventType => (action === "ROLLBACK" ? "rolled-back" : "finished");

/** The attribute `type` of the CloudEvent: `secret-rotation.finished`. */
export const cloudEventType = (type: EventType): string => `secret-rotation.${type}`;

/** The attribute `source` of a stack's CloudEvents; together with `id` it is unique. */
export const sourceOf = (stack: string): string => `/secret-rotation/stacks/${encodeURIComponent(stack)}`;

/** A receiver of events, without its address and its secret. */
export interface EventTarget {
  /** Its key in the config's `events`. */
  readonly name: string;
  readonly types: readonly EventType[];
}

/** The names of the targets that get events of a type. */
export const receiversOf = (type: EventType, targets: readonly EventTarget[] = []): string[] =>
  targets.filter(({ types }) => types.includes(type)).map(({ name }) => name);

/** What an event says; names, dates and numbers, never a value. Every field is always there; a field is only ever added. */
export const eventData = z.strictObject({
  /** The Pulumi stack. */
  stack: z.string(),
  /** The config's `environment`. */
  environment: z.string(),
  /** The secret's name, such as `database/password`. */
  secret: z.string(),
  /** What the update does or did; null for an event of the timer. */
  action: z.enum(["ADOPT", "ROTATE", "ROLLBACK", "REVOKE"]).nullable(),
  /** The generation that the update makes active, or (REVOKE) the one that it ended; else the one in use. */
  generation: z.int().nullable(),
  /** Why it acts, why it failed, or who still uses the previous login. */
  reason: z.string().nullable(),
  /** The part of the rotation that failed, such as `preflight` or `restart`. */
  phase: z.string().nullable(),
  /** The row in `secret_rotation_log`. */
  auditRow: z.int().nullable(),
  /** How long the update took for this secret, in seconds. */
  durationSeconds: z.number().nullable(),
  /** What a timer's event is about: the maximum age, the planned rotation, the end of the grace period. ISO 8601. */
  at: z.string().nullable(),
  /** The age of the credential in use, in whole days; null if it is unknown or of no interest. */
  ageDays: z.number().nullable(),
  /** The age that no credential may pass, in days. */
  maxAgeDays: z.number().nullable(),
  /** One line for people. */
  summary: z.string(),
  /** One to three sentences for people. */
  text: z.string(),
  /** The command to run now; null if nothing has to be done. */
  command: z.string().nullable(),
});

export type EventData = z.output<typeof eventData>;

/** An event as it is sent: CloudEvents 1.0, structured mode, JSON. */
export const cloudEvent = z.strictObject({
  specversion: z.literal("1.0"),
  /** A UUID, the same in every attempt to deliver it: receivers tell a repetition by it. */
  id: z.uuid(),
  source: z.string().startsWith("/secret-rotation/stacks/"),
  type: z.enum(EVENT_TYPES.map(cloudEventType)),
  /** The secret's name. */
  subject: z.string(),
  /** When it happened. */
  time: z.iso.datetime(),
  datacontenttype: z.literal("application/json"),
  data: eventData,
});

export type CloudEvent = z.output<typeof cloudEvent>;

/** An event before it is recorded. */
export interface NewEvent {
  readonly type: EventType;
  readonly time: Date;
  readonly data: EventData;
  /** The names of those that get it. */
  readonly targets: readonly string[];
  /** What a timer's event is about; one with the same occasion is recorded once. */
  readonly occasion?: string;
}

/** What every event of an update says. */
export interface UpdateFacts {
  readonly stack: string;
  readonly environment: string;
  readonly secret: string;
  readonly action: Action;
  readonly generation: number | null;
  readonly reason: string;
}

const NOTHING = { phase: null, auditRow: null, durationSeconds: null, at: null, ageDays: null, maxAgeDays: null };

/** An update has passed a secret's preflight and is about to change it. */
export const startedData = (facts: UpdateFacts): EventData => ({
  ...NOTHING,
  ...facts,
  summary: `${about(facts)}: ${DOING[facts.action]} generation ${facts.generation} has started`,
  text: `Reason: ${facts.reason}. Services that read it are restarted one at a time.`,
  command: null,
});

/** An update is done with a secret: `finished` or `rolled-back`. */
export const finishedData = (
  facts: UpdateFacts,
  row: { readonly auditRow: number; readonly durationSeconds: number | null },
): EventData => ({
  ...NOTHING,
  ...facts,
  ...row,
  summary: `${about(facts)}: ${DONE[facts.action]} generation ${facts.generation}`,
  text: `Reason: ${facts.reason}. Audit row ${row.auditRow}.`,
  command: null,
});

/** An update failed, or was refused by its preflight. */
export const failedData = (
  facts: Omit<UpdateFacts, "action"> & { readonly action: Action | null },
  about_: Partial<Pick<EventData, "phase" | "auditRow" | "durationSeconds" | "at">>,
): EventData => ({
  ...NOTHING,
  ...facts,
  ...about_,
  summary: `${about(facts)}: a rotation FAILED${typeof about_.phase === "string" ? ` (${about_.phase})` : ""}`,
  text: facts.reason,
  command: `rotation diagnose --stack ${facts.stack}`,
});

const about = ({ secret, environment }: Pick<UpdateFacts, "secret" | "environment">) => `${secret} (${environment})`;

const DOING = {
  ADOPT: "the adoption as",
  ROTATE: "the rotation to",
  ROLLBACK: "the rollback to",
  REVOKE: "the revocation of",
} satisfies Record<Action, string>;

const DONE = {
  ADOPT: "adopted, now at",
  ROTATE: "rotated to",
  ROLLBACK: "rolled back to",
  REVOKE: "revoked",
} satisfies Record<Action, string>;
