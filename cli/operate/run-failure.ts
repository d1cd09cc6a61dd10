import type { SecretConfig } from "../../config";
import { messageOf } from "../../core/errors";
import { byHand, explained, rotationCommand } from "./advice";
import { recordFailure } from "./audit-failure";
import type { EngineResult } from "./engine";
import { type Failure, failureOf, isUnsaved } from "./failure";
import { lookAt } from "./look";
import type { StackPlan } from "./plan-words";
import { cleaned, generationOf, type RunContext } from "./run-context";
import { clockOf } from "./settings";
import { describeSituation, isBegun, isTouched, isUnseen, type Situation, type Unseen } from "./situation";

/** A failed update, looked into. */
export interface Examined {
  /** The secret that it failed at. */
  readonly secret: string;
  readonly failure: Failure;
  /** What holds now, of each secret that the update was to change. */
  readonly situations: readonly Situation[];
  /** The same in words. */
  readonly situation: string;
  /** Whether something was begun that another run has to finish: its request stays in the config. */
  readonly begun: boolean;
  /** Whether anything was changed outside of the stack's own state. */
  readonly touched: boolean;
  /** The generation that a rollback returns to; undefined where there is none. */
  readonly target: number | undefined;
}

/** Finds out why an update failed and what holds now, and writes its FAILED row. */
export async function examine(
  context: RunContext,
  updated: EngineResult,
  plan: StackPlan,
  seconds: number,
): Promise<Examined> {
  const { project, listener, config, engine, before } = context;
  if (updated.died) {
    const ended = await engine.endOrphans();
    if (ended > 0) listener.note(`the engine is gone; ended ${ended} processes that it had left running`);
  }
  listener.step("looking at what holds now: state, store, logins, services, audit log");
  const found = failureOf(updated, config, context.stoppedBy());
  const failure = { ...found, reason: cleaned(context, found.reason), detail: cleaned(context, found.detail) };
  const acting = actingSecrets(context, plan, failure);
  const name = failure.secret ?? acting[0]?.name ?? "";
  const deployment = await engine.exportState().catch((error: unknown): Unseen => ({ unseen: firstLine(error) }));
  const unfinished = updated.unfinished.map((step) => step.name);
  const situations = await Promise.all(
    acting.map((secret) => {
      const planned = plan.secrets.find((candidate) => candidate.secret === secret.name)?.action;
      return lookAt({ config, deployment, secret, planned, before: before[secret.name]?.state, unfinished });
    }),
  );
  const main = situations.find(({ secret }) => secret === name);
  const from = generationOf(before[name]?.state) ?? undefined;
  const unrecorded = await recordFailure(config, {
    secret: name,
    stack: project.stack,
    failure,
    generation: from,
    seconds,
    env: project.env,
    action: plan.secrets.find(({ secret }) => secret === name)?.action,
    now: clockOf(config),
  });
  if (unrecorded !== undefined) listener.note(`the FAILED row could not be written: ${cleaned(context, unrecorded)}`);
  return {
    secret: name,
    failure,
    situations,
    situation: cleaned(context, situations.map(describeSituation).join("\n")),
    begun: situations.some(isBegun),
    touched: main !== undefined && isTouched(main),
    target: main !== undefined && goesBack(main) ? (from ?? (name in config.adopted ? 0 : undefined)) : undefined,
  };
}

/** Whether a rollback undoes what was begun: a rollback and the end of a grace period are only to be finished. */
const goesBack = ({ begun }: Situation): boolean =>
  begun === null || isUnseen(begun) || begun.action === "ADOPT" || begun.action === "ROTATE";

/** The secrets that the update was to change; where it says of none, all of them may have been. */
function actingSecrets({ config }: RunContext, plan: StackPlan, failure: Failure): readonly SecretConfig[] {
  const acting = plan.secrets.filter(({ action }) => action !== undefined).map(({ secret }) => secret);
  const concerned = config.secrets.filter(({ name }) => acting.includes(name) || name === failure.secret);
  return concerned.length > 0 ? concerned : config.secrets;
}

const firstLine = (error: unknown) => messageOf(error).split("\n")[0] ?? "";

/** What to run after a failure: each line can be given to a shell as it is. */
export function nextSteps(
  { secret, failure, begun, target }: Pick<Examined, "secret" | "failure" | "begun" | "target">,
  { project, again, yes }: Pick<RunContext, "project" | "again" | "yes">,
  isRollback: boolean,
): string[] {
  const acts = (words: string) => rotationCommand(project, yes ? `${words} --yes` : words);
  const finish = acts("run");
  const diagnose = explained(rotationCommand(project, "diagnose"), "looks at it from the outside");
  if (isUnsaved(failure)) {
    return [
      byHand("make room where the state is kept; then:"),
      explained(finish, "repairs a half-written state, and finishes it"),
    ];
  }
  if (!begun) return [byHand("fix what is named above; then:"), again, diagnose];
  if (isRollback || target === undefined) return [explained(finish, "finishes it"), diagnose];
  const why = "the update before was interrupted or failed";
  return [
    explained(finish, "finishes it"),
    explained(acts(`rollback ${secret} --reason "${why}"`), `or goes back to generation ${target}`),
    diagnose,
  ];
}
