import * as z from "zod";
import { PHASES } from "../../core/phases";

/** In every line. */
const common = {
  /** When it was printed, by this machine's clock. */
  time: z.iso.datetime(),
  /** A UUID, the same in every line of a run. */
  run: z.uuid(),
  /** The Pulumi stack. */
  stack: z.string(),
};

const state = z.enum(["begins", "done", "failed"]);

/** How a run ends; `nothing due` with `--if-due` alone. */
const OUTCOMES = [
  ...(["done", "incomplete", "failed", "rolled back", "refused by the preflight"] as const),
  ...(["nothing to do", "nothing due", "declined", "interrupted"] as const),
];

/** A check of the preflight. */
const check = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** What was found. */
  evidence: z.string(),
  /** What the config let pass. */
  override: z.string().optional(),
  warnings: z.array(z.string()).optional(),
});

/**
 * A line of `rotation run --json`, `rotation rollback --json` and `rotation rotate-now --json`. The last line of each
 * request is its `result`. A field or a type is only ever added.
 */
export const runLine = z.discriminatedUnion("type", [
  /** What the command does now. */
  z.strictObject({ ...common, type: z.literal("step"), text: z.string() }),
  /** Something that was found or fixed on the way. */
  z.strictObject({ ...common, type: z.literal("note"), text: z.string() }),
  /** The preflight of one secret. */
  z.strictObject({
    ...{ ...common, type: z.literal("preflight"), secret: z.string(), ok: z.boolean(), checks: z.array(check) },
  }),
  /** What the update will do to one secret; `action` is null if nothing. */
  z.strictObject({
    ...{ ...common, type: z.literal("plan"), secret: z.string(), headline: z.string() },
    action: z.enum(["ADOPT", "ROTATE", "ROLLBACK", "REVOKE"]).nullable(),
  }),
  /** A phase of a secret's rotation begins, or failed. */
  z.strictObject({
    ...{ ...common, type: z.literal("phase"), secret: z.string(), state },
    phase: z.enum(PHASES).nullable(),
  }),
  /** A restart of a service; `host` is null on the machine that the run is on. */
  z.strictObject({
    ...{ ...common, type: z.literal("restart"), secret: z.string(), state },
    ...{ service: z.string(), host: z.string().nullable() },
  }),
  /** What probes of a secret have seen until now: a line a second, and one at the end. */
  z.strictObject({
    ...{ ...common, type: z.literal("probe"), secret: z.string(), tried: z.number(), failed: z.number() },
    /** Refusals that belong to the rotation. */
    refused: z.number(),
    unseen: z.number(),
    longestGapMs: z.number(),
    unavailableSeconds: z.number(),
    /** The first logins that failed. */
    failures: z.array(z.object({ at: z.string(), way: z.string(), words: z.string() })),
  }),
  /** A failed check, a warning, or what the program itself says. */
  z.strictObject({
    ...{ ...common, type: z.literal("finding"), secret: z.string().nullable(), text: z.string() },
    source: z.enum(["preflight", "program"]),
    level: z.enum(["info", "warning", "error"]),
  }),
  /** How it ended. What else it has depends on the outcome. */
  z.looseObject({
    ...{ ...common, type: z.literal("result"), notes: z.array(z.string()) },
    outcome: z.enum(OUTCOMES),
    /** What to run next; absent if nothing has to be done. */
    next: z.array(z.string()).optional(),
    seconds: z.number().optional(),
  }),
]);

export type RunLine = z.output<typeof runLine>;

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A line without what is in every line. */
export type LineContent = Without<RunLine, keyof typeof common>;
