import { PHASE, type Phase } from "../../core/phases";
import { nameOf, restartOf, secretOf } from "../../core/resource-names";
import { phaseOf } from "../../kinds/phases";
import type { Outline } from "./settings";
import type { StoredResource } from "./state-file";

/** One step of the last rotation or rollback of a secret. */
export interface RunStep {
  readonly phase: Phase;
  /** `restarting signal-service on trading-1`. */
  readonly text: string;
  /** When the engine had finished it, ISO 8601; null if it has not, or if later settings changed the time. */
  readonly at: string | null;
  readonly done: boolean;
}

/**
 * The last rotation or rollback of each secret, step by step, from the times that the engine keeps in the stack's state.
 * Empty for a secret whose preflight never passed. Resources that the run did not change are left out, but services.
 */
export function lastRuns(
  resources: readonly StoredResource[],
  { secrets, services }: Pick<Outline, "secrets" | "services">,
): Readonly<Record<string, readonly RunStep[]>> {
  const names = secrets.map(({ name }) => name);
  const placed = resources.map((resource) => ({
    ...resource,
    name: nameOf(resource.urn),
    newInputs: resource.inputs ?? {},
  }));
  return Object.fromEntries(
    names.map((secret) => {
      const own = placed.filter(({ name }) => secretOf(name, names) === secret);
      const timeOf = (phase: Phase) =>
        own
          .filter(
            (resource) => phaseOf(resource) === phase && resource.modified !== undefined && resource.custom === true,
          )
          .map(({ modified }) => Date.parse(modified ?? ""))
          .toSorted((a, b) => b - a)[0];
      const [begun, logged] = [timeOf("preflight"), timeOf("audit")];
      if (begun === undefined) return [secret, []];
      const isOver = logged !== undefined && logged >= begun;
      return [secret, stepsOf(own, secret, services, { begun, end: isOver ? logged : Number.POSITIVE_INFINITY })];
    }),
  );
}

type Placed = StoredResource & { readonly name: string; readonly newInputs: Readonly<Record<string, unknown>> };

function stepsOf(
  own: readonly Placed[],
  secret: string,
  services: Outline["services"],
  { begun, end }: { readonly begun: number; readonly end: number },
): RunStep[] {
  const steps = new Map<string, RunStep>();
  for (const resource of own) {
    const phase = phaseOf(resource);
    if (phase === undefined || resource.custom !== true) continue;
    const time = Date.parse(resource.modified ?? "");
    const inside = time >= begun && time <= end;
    if (!inside && phase !== "restart") continue;
    const text = phase === "restart" ? restartText(resource.name, secret, services) : PHASE[phase].words;
    const known = steps.get(text);
    const at = inside ? new Date(Math.max(time, Date.parse(known?.at ?? "") || 0)).toISOString() : null;
    steps.set(text, { phase, text, at, done: inside || Number.isFinite(end) });
  }
  const order = Object.keys(PHASE);
  return [...steps.values()].toSorted(
    (a, b) => order.indexOf(a.phase) - order.indexOf(b.phase) || (a.at ?? "9").localeCompare(b.at ?? "9"),
  );
}

function restartText(resource: string, secret: string, services: Outline["services"]): string {
  const { service, host } = restartOf(resource, secret, services) ?? { service: resource, host: undefined };
  return `restarting ${service}${host === undefined ? "" : ` on ${host}`}`;
}
