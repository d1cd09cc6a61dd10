import type { Phase } from "../../core/phases";
import { describePlan, lackingApprovals, type Plan } from "../../core/plan";
import { restartOf, secretOf } from "../../core/resource-names";
import { phaseOf, rowOf } from "../../kinds/phases";
import type { EngineResult, Step } from "./engine";
import type { Outline } from "./settings";
import { describe, generationOf, isPassive, opOf, plainly, QUIET } from "./step-words";

/** One thing that an update would do. */
export interface PlannedStep {
  /** "settings" if a resource only records new settings. */
  readonly phase: Phase | "other" | "settings";
  readonly text: string;
  /** The resource's name. */
  readonly resource: string;
}

/** What an update would do to one secret, in words for a reviewer. */
export interface SecretPlan {
  readonly secret: string;
  /** Undefined if nothing happens to it. */
  readonly action: Plan["action"];
  /** One sentence, as the program itself says it. */
  readonly headline: string;
  /** In order. */
  readonly steps: readonly PlannedStep[];
  /** What people approve; unset if nothing happens. */
  readonly hash?: string;
  /** What it lacks, in words: an update is refused as long as approvals are missing. */
  readonly lacks?: string;
}

/** What an update would do. */
export interface StackPlan {
  readonly stack: string;
  readonly environment: string;
  readonly secrets: readonly SecretPlan[];
  /** Changes that belong to no secret, such as a provider's address. */
  readonly others: readonly string[];
  /** What must not be approved: a password replaced without a new generation, a role or secret deleted. */
  readonly dangers: readonly string[];
  /** All changes, by the engine's own names. */
  readonly changes: readonly { readonly op: string; readonly type: string; readonly name: string }[];
  readonly unchanged: number;
}

/** Puts the engine's preview into words. */
export function planInWords(
  stack: string,
  outline: Pick<Outline, "environment" | "secrets" | "services">,
  preview: EngineResult,
): StackPlan {
  const names = outline.secrets.map(({ name }) => name);
  const changed = preview.steps.filter(({ op }) => !QUIET.has(op));
  const secrets = names.map((secret) => {
    const plan = preview.plans.findLast((decided) => decided.secret === secret);
    const own = changed.filter(({ name }) => secretOf(name, names) === secret);
    const lacks = plan && lackingApprovals(plan);
    return {
      secret,
      action: plan?.action,
      headline: plan === undefined ? `${secret}: nothing is known` : describePlan(plan),
      steps: [
        ...acting(own, secret, { ...outline, acts: plan?.action !== undefined }),
        ...keeping(own, secret, outline),
      ],
      ...(plan?.hash === undefined ? {} : { hash: plan.hash }),
      ...(lacks === undefined ? {} : { lacks }),
    };
  });
  return {
    stack,
    environment: outline.environment,
    secrets,
    others: changed.filter((step) => isShared(step, names)).map(plainly),
    dangers: dangersOf(changed),
    changes: changed.map(({ op, type, name }) => ({ op: opOf(op), type, name })),
    unchanged: preview.steps.length - changed.length,
  };
}

/**
 * Whether an update would do anything beyond reading. If a secret acts without any change, its update was interrupted when
 * only the stack's outputs were missing: only another update writes them.
 */
export const doesSomething = ({ changes, secrets }: Pick<StackPlan, "changes" | "secrets">): boolean =>
  changes.length > 0 || secrets.some(({ action }) => action !== undefined);

function acting(
  own: readonly Step[],
  secret: string,
  outline: Pick<Outline, "services"> & { readonly acts: boolean },
): PlannedStep[] {
  return inOrder(own.filter((step) => !isPassive(step))).flatMap(({ step, phase }) => {
    const text = describe(step, phase, secret, outline);
    return text === undefined ? [] : [{ phase: phase ?? ("other" as const), text, resource: step.name }];
  });
}

/** Steps that only record new settings, one line for each part. */
function keeping(own: readonly Step[], secret: string, { services }: Pick<Outline, "services">): PlannedStep[] {
  const passive = own.filter(isPassive);
  const restarts = passive.filter((step) => phaseOf(step) === "restart");
  const places = restarts.map(({ name }) => {
    const { service, host } = restartOf(name, secret, services) ?? { service: name, host: undefined };
    return host === undefined ? service : `${service} on ${host}`;
  });
  const [first] = restarts;
  return [
    ...(first === undefined
      ? []
      : [
          {
            phase: "settings" as const,
            text: `keeps new settings for the restart of ${places.join(", ")}; nothing is restarted`,
            resource: first.name,
          },
        ]),
    ...passive
      .filter((step) => phaseOf(step) !== "restart")
      .map(({ name }) => ({
        phase: "settings" as const,
        text: `keeps new settings of ${name}; nothing runs`,
        resource: name,
      })),
  ];
}

/** The steps with their phases; roles that change after the restarts do not belong to the rotation's beginning. */
export function inOrder(steps: readonly Step[]): { step: Step; phase: Phase | undefined }[] {
  let restarted = false;
  return steps.map((step) => {
    const phase = phaseOf(step);
    restarted ||= phase === "restart" || phase === "confirm";
    return { step, phase: phase === "database" && restarted ? "settle" : phase };
  });
}

/** A provider that is new says nothing; one that changes may mean another server. */
const isShared = ({ name, type, op }: Step, names: readonly string[]) =>
  secretOf(name, names) === undefined &&
  !type.startsWith("pulumi:pulumi:") &&
  !(type.startsWith("pulumi:providers:") && (op === "create" || name.startsWith("default")));

function dangersOf(changed: readonly Step[]): string[] {
  return changed.flatMap((step) => {
    const { op, type, name, oldInputs, newInputs } = step;
    if (!rowOf(step)?.holdsCredential) return [];
    if (op === "delete") return step.retained ? [] : [`${name} (${type}) would be deleted`];
    if (opOf(op) !== "replace") return [];
    if (!type.startsWith("random:"))
      return type.includes("SecretVersion") ? [] : [`${name} (${type}) would be replaced`];
    return generationOf(oldInputs) === generationOf(newInputs)
      ? [`${name} would be replaced without a new generation: the credential in use would be lost`]
      : [];
  });
}
