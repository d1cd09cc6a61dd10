import * as z from "zod";
import { healthProbe } from "../../clients/probe";
import type { RunScript } from "../../clients/shell";
import { messageOf, StepError } from "../../core/errors";
import { secret } from "../../core/secret-fields";
import { type HookRun, hookInput, runHook } from "./hooks";
import { bakes, placeOf, restartAndWait } from "./restart";
import { syncInput, waitForSync } from "./sync";

/** Where a host is in a rollout of several at once. */
const rolloutInput = z.object({
  /** Which batch it is in, from 1, and how many there are. */
  batch: z.number(),
  of: z.number(),
  canary: z.boolean(),
  /** How long it is watched before the next batch follows, in milliseconds; for canaries. */
  bake: z.number().optional(),
  /** The hosts before it, those at the same time, and those after it, in words. */
  done: z.string(),
  beside: z.string(),
  later: z.string(),
});

/** All that is done to a service at one place. */
export const atPlaceInput = z.object({
  service: z.string(),
  command: z.string(),
  reload: z.boolean().optional(),
  request: z.object({ probe: healthProbe, from: z.enum(["host", "runner"]) }).optional(),
  probe: healthProbe,
  proof: z.object({ field: z.string(), equals: z.string().optional() }).optional(),
  /** Milliseconds. */
  timeout: z.number(),
  before: hookInput.optional(),
  after: hookInput.optional(),
  /** What hooks find in their environment. */
  variables: z.record(z.string(), z.string()).optional(),
  /** What hooks may have read and must not be repeated: the new credential. */
  redacted: z.array(z.object({ value: secret(z.string()) })).optional(),
  sync: syncInput.optional(),
  rollout: rolloutInput.optional(),
});

export type AtPlace = z.output<typeof atPlaceInput> & { readonly place: string };

/** What was done at one place. */
export interface DoneAt {
  /** In words. */
  readonly said: string;
  readonly hooks: readonly HookRun[];
}

/**
 * Restarts or reloads a service at one place, with all that belongs to it: hook, sync of its Kubernetes Secret, restart
 * behind the health gate, hook, and the time that a canary is watched.
 *
 * @throws StepError that says what failed, and which hosts have the new credential
 */
export async function restartAt(at: AtPlace, run: RunScript): Promise<DoneAt> {
  try {
    return await carryOut(at, run);
  } catch (error) {
    if (at.rollout === undefined) throw error;
    throw new StepError(`${messageOf(error)} ${rolloutWords(at.rollout)}`);
  }
}

async function carryOut(at: AtPlace, run: RunScript): Promise<DoneAt> {
  const { before, after, sync, rollout, variables = {} } = at;
  const what = placeOf(at);
  const done = at.reload === true ? "reloaded" : "restarted";
  const hooks: HookRun[] = [];
  const said: string[] = [];
  if (before !== undefined) {
    const consequence = `${what} was not ${done}: it keeps the old credential. Fix it and run this again, which continues here; or roll back.`;
    hooks.push(await hookOf(what, runHook("before", before, variables, run, consequence)));
  }
  if (sync !== undefined) said.push(await waitForSync(sync, run));
  said.push(await restartAndWait(at, run));
  if (after !== undefined) {
    const consequence = `${what} was ${done} and is healthy with the new credential. Fix it and run this again, which does ${what} once more; or roll back.`;
    hooks.push(await hookOf(what, runHook("after", after, variables, run, consequence)));
  }
  if (rollout?.bake !== undefined) said.push(await bakes(at, rollout.bake, run));
  return { said: said.join(", "), hooks };
}

/** A hook's failure names the place. */
const hookOf = (what: string, run: Promise<HookRun>) =>
  run.catch((error: unknown) => {
    throw error instanceof StepError ? new StepError(`${what}: ${error.message}`) : error;
  });

/** Which hosts have the new credential and which do not. */
function rolloutWords({ batch, of, canary, done, beside, later }: z.output<typeof rolloutInput>): string {
  const words = [
    `It was in batch ${batch} of ${of}${canary ? ", a canary" : ""}.`,
    ...(done === "" ? [] : [`With the new credential: ${done}.`]),
    ...(beside === "" ? [] : [`At the same time: ${beside}, each with a result of its own.`]),
    later === "" ? "No host comes after it." : `Left as they are, with the old credential: ${later}.`,
  ];
  return words.join(" ");
}
