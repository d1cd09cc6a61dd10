import { recordFailure } from "./audit-failure";
import type { EngineResult } from "./engine";
import { describeSituation, type Failure, failureOf, isUnsaved, stoppedAt } from "./failure";
import type { StackPlan } from "./plan-words";
import { cleaned, generationOf, type RunContext } from "./run-context";
import { clockOf } from "./settings";

/** A failed update, looked into. */
export interface Examined {
  readonly secret: string;
  readonly failure: Failure;
  /** What holds now, in words. */
  readonly situation: string;
  /** The generation that a rollback returns to; undefined where there is none. */
  readonly target: number | undefined;
}

/** Finds out how far a failed update came, writes its FAILED row, and puts what holds now into words. */
export async function examine(
  context: RunContext,
  updated: EngineResult,
  plan: StackPlan,
  seconds: number,
): Promise<Examined> {
  const { project, listener, config, before } = context;
  const names = config.secrets.map(({ name }) => name);
  const found = failureOf(updated, names);
  const failure = { ...found, reason: cleaned(context, found.reason), detail: cleaned(context, found.detail) };
  const acting = plan.secrets.filter(({ action }) => action !== undefined).map(({ secret }) => secret);
  const name = failure.secret ?? acting[0] ?? names[0] ?? "";
  const secret = config.secrets.find((candidate) => candidate.name === name);
  const from = generationOf(before[name]?.state) ?? undefined;
  const unrecorded = await recordFailure(config, {
    secret: name,
    stack: project.stack,
    action: plan.secrets.find((candidate) => candidate.secret === name)?.action,
    failure,
    generation: from,
    now: clockOf(config),
    seconds,
    env: project.env,
  });
  if (unrecorded !== undefined) listener.note(`the FAILED row could not be written: ${cleaned(context, unrecorded)}`);
  const situation = describeSituation({
    failure,
    strategy: (secret as { strategy?: string } | undefined)?.strategy ?? "",
    from,
    services: secret?.restart ?? [],
    stoppedAt: stoppedAt(failure, config),
  });
  return { secret: name, failure, situation, target: from ?? (name in config.adopted ? 0 : undefined) };
}

/** What to run after a failure. */
export function nextSteps({ secret, failure, target }: Examined, stack: string, isRollback: boolean): string[] {
  const { phase, touched } = failure;
  const finish = `rotation run --stack ${stack}`;
  if (isUnsaved(failure)) {
    return [
      "make room where the state is kept, which could not be saved; then:",
      `${finish}   (mends a state that is half written, and finishes it)`,
    ];
  }
  if (!touched) return ["mend what is named above, then run the same command again"];
  if (phase === "audit" || isRollback || target === undefined) return [`${finish}   (finishes what is left)`];
  return [
    `${finish}   (finishes it)`,
    `rotation rollback ${secret} --stack ${stack} --reason "..."`,
    `rotation diagnose --stack ${stack}   (looks at it from the outside)`,
  ];
}
