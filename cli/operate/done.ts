import { activationsIn } from "../../core/phases";
import { nameOf, tagged } from "../../core/resource-names";
import { activation } from "../../core/state";
import type { ExportedResource } from "./engine";
import { rowSeen } from "./look";
import type { SecretOutput } from "./outputs";
import type { SecretPlan } from "./plan-words";
import type { RunContext } from "./run-context";
import { readCheckpoint } from "./state-file";

/** What a plan promised and cannot be found on the platform after its update, by the secret's name. */
export async function whatIsMissing(
  { project, engine, config }: Pick<RunContext, "project" | "config" | "engine">,
  acted: readonly SecretPlan[],
  after: Readonly<Record<string, SecretOutput>>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  if (acted.length === 0) return {};
  const resources = (readCheckpoint(project) ?? (await engine.exportState()).deployment).resources ?? [];
  const found = acted.map(async ({ secret, steps }): Promise<[string, string[]]> => {
    const state = after[secret]?.state;
    if (state === undefined) return [secret, ["its new state is not in the stack's outputs"]];
    const late = steps.filter(
      ({ phase, resource }) => phase === "restart" && !isRolledOut(resource, activationsOf(secret, after), resources),
    );
    const row = steps.some(({ phase }) => phase === "audit")
      ? await rowSeen(config, resources, secret, state).catch((error: unknown) => `could not be checked (${error})`)
      : "written";
    return [
      secret,
      [
        ...late.map(({ text }) => `not done: ${text}`),
        ...(row === "written" ? [] : [`its row in secret_rotation_log ${row === "missing" ? "is missing" : row}`]),
      ],
    ];
  });
  return Object.fromEntries(await Promise.all(found));
}

/** The activations of a restart after an update: those of a shared one name their secrets. */
export const activationsOf = (secret: string, after: Readonly<Record<string, SecretOutput>>): string[] =>
  Object.entries(after).flatMap(([name, { state }]) =>
    state === undefined ? [] : [tagged(name, activation(state)), ...(name === secret ? [activation(state)] : [])],
  );

/** Whether the state has a restart as done for all activations that it is for. */
export function isRolledOut(
  name: string,
  activations: readonly string[],
  resources: readonly Pick<ExportedResource, "urn" | "inputs">[],
): boolean {
  const done = activationsIn(resources.find(({ urn }) => nameOf(urn) === name)?.inputs ?? {});
  return done.length > 0 && done.every((activation) => activations.includes(activation));
}
