import { type Plan, readPlan } from "../rotation/plan";
import type { EngineResult, Step } from "./engine";
import { type Phase, phaseOf, restartOf, secretOf } from "./phases";
import type { Outline } from "./settings";

/** What an update would do to one secret, in a reviewer's words. */
export interface SecretPlan {
  readonly secret: string;
  /** Undefined where nothing happens to it. */
  readonly action: Plan["action"];
  /** One sentence, as the program itself says it. */
  readonly headline: string;
  /** What happens, in its order. */
  readonly steps: readonly { readonly phase: Phase | "other"; readonly text: string }[];
}

/** What an update would do. */
export interface StackPlan {
  readonly stack: string;
  readonly environment: string;
  readonly secrets: readonly SecretPlan[];
  /** Changes that belong to no secret, such as a provider's address. */
  readonly others: readonly string[];
  /** What nobody should approve: a password replaced without a new generation, a role or secret deleted. */
  readonly dangers: readonly string[];
  /** Changes by the engine's own names, for whoever wants to see them. */
  readonly changes: readonly { readonly op: string; readonly type: string; readonly name: string }[];
  readonly unchanged: number;
}

const QUIET = new Set(["same", "read", "refresh"]);

/** Puts the engine's preview into words. */
export function planInWords(
  stack: string,
  outline: Pick<Outline, "environment" | "secrets" | "services">,
  preview: EngineResult,
): StackPlan {
  const names = outline.secrets.map(({ name }) => name);
  const changed = preview.steps.filter(({ op }) => !QUIET.has(op));
  const secrets = names.map((secret) => {
    const headline = preview.messages.findLast((line) => readPlan(line)?.secret === secret);
    const own = changed.filter(({ name }) => secretOf(name, names) === secret);
    return {
      secret,
      action: headline === undefined ? undefined : readPlan(headline)?.action,
      headline: headline ?? `${secret}: nothing is known`,
      steps: settled(own).flatMap(({ step, phase }) => {
        const text = describe(step, phase, secret, outline);
        return text === undefined ? [] : [{ phase: phase ?? ("other" as const), text }];
      }),
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
 * Whether an update would do anything at all beyond reading. A step of a secret without any change is one whose update
 * died when all was done but the stack's outputs: only another update writes them.
 */
export const doesSomething = ({ changes, secrets }: Pick<StackPlan, "changes" | "secrets">): boolean =>
  changes.length > 0 || secrets.some(({ action }) => action !== undefined);

/** Roles that change after the restarts are not what the rotation begins with. */
function settled(steps: readonly Step[]): { step: Step; phase: Phase | undefined }[] {
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

const opOf = (op: string) => (op.includes("replace") ? "replace" : op);

const plainly = ({ op, type, name }: Step) => `${opOf(op)} ${type} ${name}`;

/** One line of a plan; undefined for what only accompanies another line. */
function describe(
  step: Step,
  phase: Phase | undefined,
  secret: string,
  { services }: Pick<Outline, "services">,
): string | undefined {
  const { type, name, newInputs } = step;
  if (name.endsWith("-vault-rotation"))
    return "has Vault rotate the password where that is asked for, and reads when it did last";
  const proven = /-proof-(.+)$/.exec(name)?.[1];
  if (proven !== undefined) return `tries a login that Vault makes for ${proven}, and ends it`;
  if (name.endsWith("-end-older")) return "ends every login from before, by Vault";
  if (type.includes("SecretBackendRole")) return `has Vault make logins on demand: role ${newInputs.name}`;
  if (type === "vault:index/policy:Policy") return `lets services read it: policy ${newInputs.name}`;
  if (type.includes("StaticRole")) return `has Vault rotate the password of ${newInputs.username} from now on`;
  if (type.startsWith("secret-rotation:") || type.startsWith("pulumi:providers:")) return undefined;
  if (type.endsWith(":RandomBytes") || type.endsWith(":RandomId")) return undefined;
  switch (phase) {
    case "preflight":
      return looked(name);
    case "new value":
      return `makes the value of slot ${/-slot-([ab])-/.exec(name)?.[1] ?? "?"} (${generations(step)})`;
    case "database":
    case "settle":
      return /-(metadata|tags)$/.test(name) ? marked(step) : role(step, phase === "database");
    case "verify":
      return "tries the credential";
    case "confirm":
      return name.endsWith("-dry-run") ? "makes the dry run" : "tries the credential again";
    case "store":
      return name.includes("read-back") ? "reads back what was written" : written(step);
    case "restart":
      return restarted(step, secret, services);
    case "audit":
      return "writes the row into secret_rotation_log";
    case undefined:
      return `${plainly(step)}${typeof newInputs.name === "string" ? ` (${newInputs.name})` : ""}`;
  }
}

/** Only a new activation restarts: not other settings, nor what an earlier version of the program has restarted. */
function restarted(step: Step, secret: string, services: Outline["services"]): string | undefined {
  const { op, name, newInputs } = step;
  const found = restartOf(name, secret, services);
  if (found === undefined) return op === "delete" ? undefined : plainly(step);
  const where = `${found.service}${found.host === undefined ? "" : ` on ${found.host}`}`;
  if (op === "delete") return undefined;
  if (op === "update") return `notes how ${where} is restarted, and restarts nothing`;
  const [rolledOut, trigger] = [
    (newInputs.interpreter as string[] | undefined)?.[1],
    (newInputs.triggers as string[])?.[0],
  ];
  if (op === "create" && trigger !== undefined && rolledOut === `ROLLED_OUT=${trigger}`)
    return `notes that ${where} was restarted before, and restarts nothing`;
  return `restarts ${where} and waits until it is healthy`;
}

function looked(name: string): string {
  if (name.endsWith("-store-unchanged")) return "makes sure that nobody else has written to the store";
  if (name.endsWith("-versions-before")) return "notes which versions the store has";
  return "checks store, database, hosts, services, market and the credential in use, and stops here if one fails";
}

function marked({ name, newInputs: { path } }: Step): string {
  const where = typeof path === "string" ? path.replace("/metadata/", "/") : name.replace(/-(metadata|tags)$/, "");
  return `marks ${where}: when it was rotated, until when the one before works`;
}

function generations({ op, oldInputs, newInputs }: Step): string {
  const [before, after] = [generationOf(oldInputs), generationOf(newInputs)];
  if (after === "-1") return "empty";
  return op === "create" || before === undefined ? `generation ${after}` : `generation ${before} => ${after}`;
}

const generationOf = (inputs: Step["newInputs"]): string | undefined =>
  (inputs.keepers as { generation?: string } | undefined)?.generation;

/** Before the store is written a role gets its new password; after the restarts only its login changes. */
function role({ op, type, oldInputs, newInputs }: Step, active: boolean): string {
  const name = String(newInputs.name ?? oldInputs.name ?? "?");
  if (!type.endsWith(":Role")) return `${opOf(op)} ${type.split(":").at(-1)} ${name}`;
  if (op === "import") return `takes the role ${name} over as it is`;
  if (op === "create") return `makes the role ${name}, which may ${newInputs.login === false ? "not " : ""}log in`;
  if (newInputs.login === false && oldInputs.login !== false) return `lets the role ${name} log in no more`;
  if (active) return `gives the role ${name} its password${oldInputs.login === false ? " and lets it log in" : ""}`;
  return oldInputs.login === newInputs.login ? `brings the role ${name} up to date` : `lets the role ${name} log in`;
}

function written({ newInputs, oldInputs, type, op }: Step): string {
  const inputs = { ...oldInputs, ...newInputs };
  const path = [inputs.mount, inputs.name ?? inputs.path ?? inputs.secretId].filter((part) => typeof part === "string");
  const what = path.length === 0 ? type : path.join("/");
  return op === "import" ? `takes ${what} over as it is` : `writes ${what}`;
}

const PRECIOUS = /^(random:.*:RandomPassword|postgresql:.*:Role|vault:kv.*|aws:secretsmanager.*:Secret(Version)?)$/;

function dangersOf(changed: readonly Step[]): string[] {
  return changed.flatMap((step) => {
    const { op, type, name, oldInputs, newInputs } = step;
    if (!PRECIOUS.test(type.replaceAll("/", ":"))) return [];
    if (op === "delete") return [`${name} (${type}) would be deleted`];
    if (opOf(op) !== "replace") return [];
    if (!type.startsWith("random:"))
      return type.includes("SecretVersion") ? [] : [`${name} (${type}) would be replaced`];
    return generationOf(oldInputs) === generationOf(newInputs)
      ? [`${name} would be replaced without a new generation: the credential in use would be lost`]
      : [];
  });
}
