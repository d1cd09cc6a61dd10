import { isRolledOut, LOGIN_ROLE, type Phase, type StepName, stepOf } from "../../core/phases";
import { restartOf, slugOf } from "../../core/resource-names";
import type { Step } from "./engine";
import type { Outline } from "./settings";

/** What the engine does to a resource, without the parts that a replacement comes in. */
export const opOf = (op: string) => (op.includes("replace") ? "replace" : op);

/** The same with the engine's own names. */
export const plainly = ({ op, type, name }: Step) => `${opOf(op)} ${type} ${name}`;

/** What a step of ours does, in a plan; undefined for one whose words depend on its part of the rotation. */
const STEP_WORDS: Partial<Record<StepName, (about: string | undefined, step: Step) => string | undefined>> = {
  preflight: () =>
    "checks store, database, hosts, services, market and the credential in use, and stops here if one fails",
  "store-unchanged": () => "makes sure that nobody else has written to the store",
  "store-versions": () => "notes which versions the store has",
  "vault-rotation": () => "has Vault rotate the password where that is asked for, and reads when it did last",
  // Its component says what it does.
  "set-role": () => undefined,
  "copy-role": (_, { newInputs }) => copied(newInputs.stdin),
  "store-write": (about, { name }) => `writes ${about ?? name}, beside what others keep there, and reads it back`,
  "store-mark": (about, { name }) => `marks ${about ?? name}: when it was rotated, until when the one before works`,
  "dry-run": () => "makes the dry run",
  "lease-end-older": () => "ends every login from before, by Vault",
};

interface Copied {
  readonly from?: string;
  readonly to?: string;
  /** Where it is false, the step does nothing. */
  readonly acts?: boolean;
}

function copied(stdin: unknown): string | undefined {
  try {
    const { from, to, acts } = JSON.parse(String(stdin)) as Copied;
    return to === undefined || acts === false ? undefined : `gives the role ${to} the settings and limits of ${from}`;
  } catch {
    return undefined;
  }
}

/** Of a role that services log in with: its password, and whether it may log in. */
function login({ op, oldInputs, newInputs }: Step, acts: boolean): string {
  const name = String(newInputs.role ?? oldInputs.role ?? "?");
  const { login: may, activation, verifier } = newInputs;
  const before = oldInputs.login;
  if (op === "create" && may !== false && (!acts || (activation ?? "") === ""))
    return `adopts the login of the role ${name} as it is`;
  if (may === false)
    return before === undefined ? `lets nobody log in as ${name} yet` : `lets the role ${name} log in no more`;
  if (activation !== "" && activation !== oldInputs.activation && verifier !== undefined)
    return `gives the role ${name} its password (${verifier})${before === false ? " and lets it log in" : ""}`;
  return before === undefined ? `leaves the role ${name} its login` : `lets the role ${name} log in`;
}

/** What is made in Vault's database engine, by its type. */
const VAULT_WORDS: Readonly<Record<string, (inputs: Step["newInputs"]) => string>> = {
  "vault:database/secretBackendRole:SecretBackendRole": ({ name }) => `has Vault make logins on demand: role ${name}`,
  "vault:database/secretBackendStaticRole:SecretBackendStaticRole": ({ username }) =>
    `has Vault rotate the password of ${username} from now on`,
  "vault:index/policy:Policy": ({ name }) => `lets services read it: policy ${name}`,
};

/** One line of a plan; undefined for what only accompanies another line. */
export function describe(
  step: Step,
  phase: Phase | undefined,
  secret: string,
  { services, acts }: Pick<Outline, "services"> & { readonly acts: boolean },
): string | undefined {
  const { type, name, newInputs, op } = step;
  if (op === "delete")
    return isForgotten(step) ? `forgets ${whatIs(step)}; it stays as it is` : `deletes ${whatIs(step)}`;
  const inVault = VAULT_WORDS[type];
  if (inVault !== undefined) return inVault(newInputs);
  if (type === LOGIN_ROLE) return login(step, acts);
  const run = stepOf(step);
  const words = run === undefined ? undefined : STEP_WORDS[run.step];
  if (words !== undefined) return words(run?.about, step);
  if (run?.step === "lease-proof")
    return `tries a login that Vault makes for ${rest(name, secret, "proof-")}, and ends it`;
  if (type.startsWith("secret-rotation:") || type.startsWith("pulumi:providers:")) return undefined;
  if (type.endsWith(":RandomBytes") || type.endsWith(":RandomId")) return undefined;
  switch (phase) {
    case "new value":
      return `makes the value of slot ${rest(name, secret, "slot-").slice(0, 1)} (${generations(step)})`;
    case "database":
    case "settle":
      return type.startsWith("postgresql:") ? role(step, phase === "database") : marked(step, secret);
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
        : `restarts ${where} and waits until it is healthy`;
    }
    case "audit":
      return op === "update"
        ? "looks that the row of the last step is in secret_rotation_log; writes none"
        : "writes the row into secret_rotation_log";
    case "preflight":
    case undefined:
      return `${plainly(step)}${typeof newInputs.name === "string" ? ` (${newInputs.name})` : ""}`;
  }
}

/** A command without a script for its end leaves everything as it is, as what is retained or deletes nothing does. */
const isForgotten = ({ retained, type, oldInputs }: Step): boolean =>
  retained === true || oldInputs.disableDelete === true || (COMMANDS.has(type) && oldInputs.delete === undefined);

/** The types of the command plugin. */
export const COMMANDS: ReadonlySet<string> = new Set(["command:local:Command", "command:remote:Command"]);

/** What follows on the secret and `part` in a resource's name. */
const rest = (name: string, secret: string, part: string) => name.slice(`${slugOf(secret)}-${part}`.length);

/** What a resource stands for, as its users call it. */
function whatIs({ type, name, oldInputs }: Step): string {
  const path = [oldInputs.mount, oldInputs.name ?? oldInputs.path].filter((part) => typeof part === "string");
  return `${path.length === 0 ? name : path.join("/")} (${type})`;
}

function marked({ name, newInputs: { path }, type, op }: Step, secret: string): string {
  const where =
    typeof path === "string"
      ? path.replace("/metadata/", "/")
      : rest(name, secret, "").split("-").slice(0, -1).join("-");
  return type.startsWith("command:") || typeof path === "string"
    ? `marks ${where}: when it was rotated, until when the one before works`
    : `${opOf(op)} ${type} ${name}`;
}

function generations({ op, oldInputs, newInputs }: Step): string {
  const [before, after] = [generationOf(oldInputs), generationOf(newInputs)];
  if (after === "-1") return "empty";
  return op === "create" || before === undefined ? `generation ${after}` : `generation ${before} => ${after}`;
}

export const generationOf = (inputs: Step["newInputs"]): string | undefined =>
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
