import { quoted } from "./shell-word";

/** What a part of a rotation changes: nothing at all, the stack's own state alone, or something on the platform. */
export type Touches = "nothing" | "stack" | "database" | "store" | "services" | "log";

interface PhaseRow {
  /** What is done, for people who wait for it. */
  readonly words: string;
  readonly touches: Touches;
}

const TABLE = {
  preflight: { words: "checking everything the rotation will touch", touches: "nothing" },
  "new value": { words: "making the new value", touches: "stack" },
  database: { words: "changing the login role", touches: "database" },
  verify: { words: "trying the new credential", touches: "nothing" },
  store: { words: "writing the store and reading it back", touches: "store" },
  restart: { words: "restarting services, one at a time", touches: "services" },
  confirm: { words: "trying the new credential again", touches: "nothing" },
  settle: { words: "marking what is in use now, and ending what is over", touches: "database" },
  audit: { words: "writing the audit row", touches: "log" },
} as const satisfies Record<string, PhaseRow>;

/** A part of a rotation. */
export type Phase = keyof typeof TABLE;

/** What each part of a rotation is, and what it changes. */
export const PHASE: Readonly<Record<Phase, PhaseRow>> = TABLE;

/** The parts of a rotation, in the order in which they come. */
export const PHASES = Object.keys(TABLE) as Phase[];

/** Which part each program in `steps/` belongs to. A new step is one more row. */
const STEPS = {
  preflight: "preflight",
  "store-versions": "preflight",
  "store-unchanged": "preflight",
  "copy-role": "database",
  "set-role": "database",
  "vault-rotate-root": "database",
  "vault-rotation": "database",
  "verify-login": "verify",
  "verify-alpaca": "verify",
  "vault-login": "verify",
  "lease-proof": "verify",
  "store-write": "store",
  "restart-service": "restart",
  "dry-run": "confirm",
  "store-mark": "settle",
  "lease-end-older": "settle",
  "audit-record": "audit",
} as const satisfies Record<string, Phase>;

/** A program in `steps/`, by its file name. */
export type StepName = keyof typeof STEPS;

/**
 * The command that runs a step: relative to the project's folder, where the engine starts its plugins.
 *
 * @param about what the step is about, no secret; it only names it
 */
export const stepProgram = (step: StepName, about?: string): string =>
  `node dist/steps/${step}.mjs${about === undefined ? "" : ` ${quoted(about)}`}`;

const STEP_OF = new Map((Object.keys(STEPS) as StepName[]).map((step) => [stepProgram(step), step]));

/**
 * How a step's command is run that notes what an earlier version of this program has rolled out, and does nothing.
 *
 * @param activation the one that was rolled out
 */
export const rolledOutInterpreter = (activation: string): string[] => [
  "/usr/bin/env",
  `ROLLED_OUT=${activation}`,
  "/bin/sh",
  "-c",
];

/** Whether a command with these inputs only notes that its activation was rolled out before. */
export function isRolledOut({ interpreter, triggers }: Readonly<Record<string, unknown>>): boolean {
  const [activation] = Array.isArray(triggers) ? triggers : [];
  return activation !== undefined && Array.isArray(interpreter) && interpreter[1] === `ROLLED_OUT=${activation}`;
}

/** What is the same step twice, before the restarts and after them, by how the later one's name ends. */
const LATER: readonly (readonly [ending: string, Phase])[] = [["-confirm-login", "confirm"]];

/** The component that says whether a role may log in, and with what; its step says nothing that a reader could use. */
export const LOGIN_ROLE = "secret-rotation:index:LoginRole";

/** Which part everything belongs to that is declared inside of a component. */
const COMPONENTS: Readonly<Record<string, Phase>> = {
  "secret-rotation:index:Preflight": "preflight",
  "secret-rotation:index:RollingRestart": "restart",
  [LOGIN_ROLE]: "database",
};

/** Which part a resource of a provider belongs to; null for what acts in none (a provider, an id that is drawn once). */
const TYPES: Readonly<Record<string, Phase | null>> = {
  "random:index/randomPassword:RandomPassword": "new value",
  "random:index/randomBytes:RandomBytes": "new value",
  "random:index/randomId:RandomId": null,
  "postgresql:index/role:Role": "database",
  "vault:database/secretBackendStaticRole:SecretBackendStaticRole": "database",
  "vault:database/secretBackendRole:SecretBackendRole": "store",
  "vault:database/secretBackendConnection:SecretBackendConnection": "store",
  "vault:index/mount:Mount": "store",
  "vault:index/policy:Policy": "store",
  "vault:kv/secretV2:SecretV2": "store",
  "vault:generic/endpoint:Endpoint": "settle",
  "aws:secretsmanager/secret:Secret": "store",
  "aws:secretsmanager/secretVersion:SecretVersion": "store",
};

/** A resource as the engine or the state has it. */
export interface Placed {
  readonly type: string;
  readonly urn: string;
  readonly name: string;
  readonly newInputs?: Readonly<Record<string, unknown>>;
  readonly oldInputs?: Readonly<Record<string, unknown>>;
}

/** A step that a command runs. */
export interface StepRun {
  readonly step: StepName;
  /** What it is about, where the command says so behind the program. */
  readonly about: string | undefined;
}

/** The step that a command runs; undefined for any other resource. */
export function stepOf({ newInputs, oldInputs }: Pick<Placed, "newInputs" | "oldInputs">): StepRun | undefined {
  const [node, program, ...about] = String(newInputs?.create ?? oldInputs?.create).split(" ");
  const step = STEP_OF.get(`${node} ${program}`);
  return step && { step, about: about.length === 0 ? undefined : about.join(" ").replace(/^'(.*)'$/, "$1") };
}

/** Which part of a rotation a resource belongs to; null for one that acts in none, undefined for one that no table has. */
export function rowOf(resource: Placed): Phase | null | undefined {
  const { type, urn, name } = resource;
  if (type === LOGIN_ROLE) return COMPONENTS[type];
  if (type.startsWith("pulumi:") || type.startsWith("secret-rotation:")) return null;
  // A URN names the types of all components around a resource: `...::outer$inner$type::name`.
  const [inside] = (urn.split("::")[2] ?? "")
    .split("$")
    .slice(0, -1)
    .flatMap((component) => COMPONENTS[component] ?? []);
  if (inside !== undefined) return inside;
  const later = LATER.find(([ending]) => name.endsWith(ending))?.[1];
  if (later !== undefined) return later;
  const run = stepOf(resource);
  return run === undefined ? TYPES[type] : STEPS[run.step];
}

/** Which part of a rotation a resource belongs to; undefined for one that is not part of it. */
export const phaseOf = (resource: Placed): Phase | undefined => rowOf(resource) ?? undefined;
