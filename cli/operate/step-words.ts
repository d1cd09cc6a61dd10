import type { ServiceConfig } from "../../config";
import { formatDuration } from "../../core/duration";
import { activationIn, isAgain, isRolledOut, ONCE, type Phase, restOf, type Touches } from "../../core/phases";
import { restartOf } from "../../core/resource-names";
import { batchesOf } from "../../core/rollout";
import { rowOf, touches } from "../../kinds/phases";
import type { Step } from "./engine";
import type { Outline } from "./settings";

/** What the engine does to a resource; the parts of a replacement count as `replace`. */
export const opOf = (op: string) => (op.includes("replace") ? "replace" : op);

/** The same with the engine's own names. */
export const plainly = ({ op, type, name }: Step) => `${opOf(op)} ${type} ${name}`;

/** One line of a plan; undefined for what only accompanies another line. */
export function describe(
  step: Step,
  phase: Phase | undefined,
  secret: string,
  { services, acts }: Pick<Outline, "services"> & { readonly acts: boolean },
): string | undefined {
  const { name, newInputs, op } = step;
  if (op === "delete")
    return isForgotten(step) ? `forgets ${whatIs(step)}; it stays as it is` : `deletes ${whatIs(step)}`;
  const words = rowOf(step)?.words;
  if (words !== undefined) return words(step, { secret, acts, phase });
  switch (phase) {
    case "new value":
      return `makes the value of slot ${restOf(name, secret, "slot-").slice(0, 1)} (${generations(step)})`;
    case "database":
    case "settle":
      return marked(step, secret);
    case "verify":
      return "tries the credential";
    case "confirm":
      return "tries the credential again";
    case "store":
      return written(step);
    case "restart": {
      const found = restartOf(name, secret, services);
      if (found === undefined) return plainly(step);
      const where = `${found.service}${found.host === undefined ? "" : ` on ${found.host}`}`;
      return isRolledOut(newInputs)
        ? `notes that ${where} was restarted before, and restarts nothing`
        : restartWords(where, found, services[found.service]);
    }
    case "audit":
      return op === "update" && !isNew(step)
        ? "checks that the row of the last step is in secret_rotation_log; writes none"
        : "writes the row into secret_rotation_log";
    case "preflight":
    case undefined:
      return `${plainly(step)}${typeof newInputs.name === "string" ? ` (${newInputs.name})` : ""}`;
  }
}

/** Whether a step runs for another activation, in place. */
const isNew = (step: Step): boolean => activationIn(step.newInputs) !== undefined && !isAgain(step);

/** What is done to a service at a place, as its config says. */
function restartWords(where: string, { host }: { readonly host: string | undefined }, config?: ServiceConfig): string {
  if (config === undefined) return `restarts ${where} and waits until it is healthy`;
  const { before, after, reload, proof, kubernetes, rollout, hosts } = config;
  const { batches, canaries } = batchesOf(hosts, rollout);
  const batch = batches.findIndex((names) => host !== undefined && names.includes(host));
  const bake = rollout?.bake ?? 0;
  const sync = kubernetes?.sync;
  return [
    ...(before === undefined ? [] : [`runs \`${before.command}\`, `]),
    ...(sync === undefined ? [] : [`waits until ${sync.externalSecret ?? sync.vaultStaticSecret} has synced, `]),
    `${reload === undefined ? "restarts" : "reloads"} ${where} and waits until it is healthy`,
    ...(proof === undefined ? [] : [` and \`${proof.field}\` shows the new credential`]),
    ...(after === undefined ? [] : [`, runs \`${after.command}\``]),
    ...(rollout === undefined || batch < 0 ? [] : [` (batch ${batch + 1} of ${batches.length}`]),
    ...(rollout === undefined || batch < 0
      ? []
      : [`${batch < canaries ? `, a canary${bake === 0 ? "" : `, watched for ${formatDuration(bake)}`}` : ""})`]),
  ].join("");
}

/** A command without a script for its deletion changes nothing, as does a resource that is retained or deletes nothing. */
const isForgotten = ({ retained, type, oldInputs }: Step): boolean =>
  retained === true || oldInputs.disableDelete === true || (COMMANDS.has(type) && oldInputs.delete === undefined);

/** The types of the command plugin. */
const COMMANDS: ReadonlySet<string> = new Set(["command:local:Command", "command:remote:Command"]);

/** What the engine only reads. */
export const QUIET: ReadonlySet<string> = new Set(["same", "read", "refresh"]);

/**
 * Whether a command only records changed inputs: its triggers are the same and its `update` does nothing, or it runs once for
 * each activation, and this one before.
 */
export const isPassive = (step: Step): boolean =>
  step.op === "update" && COMMANDS.has(step.type) && (step.newInputs.update === NOTHING || repeats(step));

const repeats = (step: Step): boolean =>
  isAgain(step) && ONCE in ((step.newInputs.environment ?? {}) as Readonly<Record<string, unknown>>);

/** The script of a command that does nothing. */
const NOTHING = "true";

/**
 * What the engine may have changed outside of the stack's own state once it has begun a step. A resource that no table
 * knows may have changed anything.
 */
export function changedBy(step: Step): Touches | "unknown" {
  if (QUIET.has(step.op) || isPassive(step) || (step.op === "delete" && isForgotten(step))) return "nothing";
  return touches(step);
}

/** The name that users know a resource by. */
function whatIs({ type, name, oldInputs }: Step): string {
  const path = [oldInputs.mount, oldInputs.name ?? oldInputs.path].filter((part) => typeof part === "string");
  return `${path.length === 0 ? name : path.join("/")} (${type})`;
}

function marked({ name, newInputs: { path }, type, op }: Step, secret: string): string {
  const where =
    typeof path === "string"
      ? path.replace("/metadata/", "/")
      : restOf(name, secret, "").split("-").slice(0, -1).join("-");
  return type.startsWith("command:") || typeof path === "string"
    ? `marks ${where}: when it was rotated, until when the previous one works`
    : `${opOf(op)} ${type} ${name}`;
}

function generations({ op, oldInputs, newInputs }: Step): string {
  const [before, after] = [generationOf(oldInputs), generationOf(newInputs)];
  if (after === "-1") return "empty";
  return op === "create" || before === undefined ? `generation ${after}` : `generation ${before} => ${after}`;
}

export const generationOf = (inputs: Step["newInputs"]): string | undefined =>
  (inputs.keepers as { generation?: string } | undefined)?.generation;

function written({ newInputs, oldInputs, type, op }: Step): string {
  const inputs = { ...oldInputs, ...newInputs };
  const path = [inputs.mount, inputs.name ?? inputs.path ?? inputs.secretId].filter((part) => typeof part === "string");
  const what = path.length === 0 ? type : path.join("/");
  return op === "import" ? `adopts ${what} as it is` : `writes ${what}`;
}
