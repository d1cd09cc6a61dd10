import { isUnseen, type Unseen } from "../../components/seen";
import type { SecretConfig } from "../../config";
import { messageOf } from "../../core/errors";
import { stepOf } from "../../core/phases";
import { secretOf } from "../../core/resource-names";
import { byHand, explained, rotationCommand } from "./advice";
import { recordFailure } from "./audit-failure";
import type { EngineResult } from "./engine";
import { type Failure, failureOf, isUnsaved } from "./failure";
import { lookAt } from "./look";
import type { StackPlan } from "./plan-words";
import { cleaned, generationOf, type RunContext } from "./run-context";
import { clockOf } from "./settings";
import { describeSituation, isBegun, isTouched, type Situation } from "./situation";
import { changedBy } from "./step-words";

/** A failed update: why, and what holds now. */
export interface Examined {
  /** The secret at which it failed. */
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
  /** The generation that a rollback returns to; undefined if there is none. */
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
    if (ended > 0) listener.note(`the engine is gone; ended ${ended} processes that it left running`);
  }
  listener.step("checking what holds now: state, store, logins, services, audit log");
  const found = failureOf(updated, config, context.stoppedBy());
  const failure = { ...found, reason: cleaned(context, found.reason), detail: cleaned(context, found.detail) };
  const acting = actingSecrets(context, plan, failure);
  const name = failure.secret ?? acting[0]?.name ?? "";
  const deployment = await engine.exportState().catch((error: unknown): Unseen => ({ unseen: firstLine(error) }));
  const unfinished = updated.unfinished.map((step) => step.name);
  const situations = await Promise.all(
    acting.map((secret) => {
      const planned = plan.secrets.find((candidate) => candidate.secret === secret.name)?.action;
      const acted = actedFor(secret.name, config, updated);
      return lookAt({ config, deployment, secret, planned, before: before[secret.name]?.state, unfinished, acted });
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
    probes: updated.probes[name],
    announced: updated.failedStep !== undefined && stepOf(updated.failedStep)?.step === "preflight",
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

/** What the update had begun of a secret, or of what all share, and may have changed. */
export function actedFor(
  secret: string,
  { secrets }: Pick<RunContext["config"], "secrets">,
  { steps }: Pick<EngineResult, "steps">,
): Situation["acted"] {
  const names = secrets.map(({ name }) => name);
  return steps.flatMap((step) => {
    const changed = changedBy(step);
    const isOurs = [secret, undefined].includes(secretOf(step.name, names));
    if (!isOurs || changed === "nothing" || changed === "stack") return [];
    // What a command of the user's has changed shows nowhere else.
    const known = changed !== "unknown" && changed !== "elsewhere";
    return [{ resource: `${step.name} (${step.type})`, known }];
  });
}

/** Whether a rollback undoes what was begun: a rollback and the end of a grace period can only be finished. */
const goesBack = ({ begun }: Situation): boolean =>
  begun === null || isUnseen(begun) || begun.action === "ADOPT" || begun.action === "ROTATE";

/** The secrets that the update was to change; all of them if the plan names none. */
function actingSecrets({ config }: RunContext, plan: StackPlan, failure: Failure): readonly SecretConfig[] {
  const acting = plan.secrets.filter(({ action }) => action !== undefined).map(({ secret }) => secret);
  const concerned = config.secrets.filter(({ name }) => acting.includes(name) || name === failure.secret);
  return concerned.length > 0 ? concerned : config.secrets;
}

const firstLine = (error: unknown) => messageOf(error).split("\n")[0] ?? "";

/** What to run after a failure: each line can be pasted into a shell. */
export function nextSteps(
  {
    secret,
    failure,
    begun,
    target,
    situations,
  }: Pick<Examined, "secret" | "failure" | "begun" | "target" | "situations">,
  { project, again, yes }: Pick<RunContext, "project" | "again" | "yes">,
  isRollback: boolean,
): string[] {
  const acts = (words: string) => rotationCommand(project, yes ? `${words} --yes` : words);
  const finish = acts("run");
  const diagnose = explained(rotationCommand(project, "diagnose"), "checks the platform from the outside");
  if (isUnsaved(failure)) {
    return [
      byHand("free disk space where the state is kept; then:"),
      explained(finish, "repairs the state if it is half written, and finishes the update"),
    ];
  }
  if (!begun) return [byHand("fix what is named above; then:"), again, diagnose];
  const first = situations.some(isUnreachable) ? [byHand(UNREACHABLE)] : [];
  if (isRollback || target === undefined) return [...first, explained(finish, "finishes it"), diagnose];
  const why = "the previous update was interrupted or failed";
  return [
    ...first,
    explained(finish, "finishes it"),
    explained(acts(`rollback ${secret} --reason "${why}"`), `or goes back to generation ${target}`),
    diagnose,
  ];
}

const UNREACHABLE =
  "make the database reachable again, or after a failover name the new primary in the config (`database`); then:";

/** Whether no login of a secret could be tried on its database: nothing can be finished until it answers. */
const isUnreachable = ({ logins }: Situation): boolean =>
  logins.length > 0 && logins.every(({ of, answer }) => of === "database" && isUnseen(answer));
