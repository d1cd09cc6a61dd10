import { rotationPhases } from "../components/phases";
import {
  PHASE,
  type Phase,
  type PhaseTable,
  type Placed,
  type ResourceRow,
  type Row,
  stepOf,
  type Touches,
} from "../core/phases";
import { storeResources } from "../stores/schemas";
import { phasesOfKinds } from "./operations";

/** Everything that adds parts to a rotation. */
const TABLES: readonly PhaseTable[] = [
  rotationPhases,
  ...storeResources().map((resources) => ({ resources })),
  ...phasesOfKinds(),
];

const together = <R extends Row>(rows: (table: PhaseTable) => Readonly<Record<string, R>> | undefined) =>
  new Map(TABLES.flatMap((table) => Object.entries(rows(table) ?? {})));

const STEPS = together<Row>(({ steps }) => steps);
const COMPONENTS = together<Row>(({ components }) => components);
const RESOURCES = together<ResourceRow>(({ resources }) => resources);

/** The programs in `steps/` that have a row. */
export const stepNames = (): string[] => [...STEPS.keys()];

/** Steps that run twice, before and after the restarts, by the suffix of the later one's name. */
const LATER: readonly (readonly [ending: string, Phase])[] = [
  ["-confirm-login", "confirm"],
  ["-after-hook", "after"],
];

/** Resources that only accompany others: our own components, and the engine's own. */
const NOTHING: Row = { phase: null, words: () => undefined };

/** The row of a resource itself: as a component, a provider's type, or a step; undefined if there is none. */
export function rowOf(resource: Placed): ResourceRow | undefined {
  const { type } = resource;
  const component = COMPONENTS.get(type);
  // A component without a row only contains others.
  if (component?.words !== undefined) return component;
  if (type.startsWith("pulumi:") || type.startsWith("secret-rotation:")) return NOTHING;
  const run = stepOf(resource);
  return run === undefined ? RESOURCES.get(type) : STEPS.get(run.step);
}

/** Which part of a rotation a resource belongs to; null for one that acts in none, undefined if nothing is known of it. */
export function placeOf(resource: Placed): Phase | null | undefined {
  const { type, urn, name } = resource;
  const own = rowOf(resource);
  if (own === NOTHING || COMPONENTS.has(type)) return own?.phase;
  // A URN names the types of all components around a resource: `...::outer$inner$type::name`.
  const [inside] = (urn.split("::")[2] ?? "")
    .split("$")
    .slice(0, -1)
    .flatMap((component) => COMPONENTS.get(component)?.phase ?? []);
  return inside ?? LATER.find(([ending]) => name.endsWith(ending))?.[1] ?? own?.phase;
}

/** Which part of a rotation a resource belongs to; undefined for one that is not part of it. */
export const phaseOf = (resource: Placed): Phase | undefined => placeOf(resource) ?? undefined;

/** What the engine touches with a resource; unknown for one that is in no table. */
export function touches(resource: Placed): Touches | "unknown" {
  const phase = placeOf(resource);
  if (phase === undefined) return "unknown";
  // A component exists before anything inside it acts.
  return phase === null || COMPONENTS.has(resource.type) ? "nothing" : PHASE[phase].touches;
}
