import { aboutOf, LOGIN_ROLE, type Phase, phaseOf, type StepName, stepOf } from "../core/phases";
import { restartOf, secretOf, slugOf } from "../core/resource-names";
import { type Plan, readPlan } from "../rotation/plan";
import type { EngineResult, Step } from "./engine";
import type { Outline } from "./settings";

/** One thing that an update would do. */
export interface PlannedStep {
  /** "settings" where a resource keeps something new about the config and does nothing. */
  readonly phase: Phase | "other" | "settings";
  readonly text: string;
  /** The resource's name. */
  readonly resource: string;
}

/** What an update would do to one secret, in a reviewer's words. */
export interface SecretPlan {
  readonly secret: string;
  /** Undefined where nothing happens to it. */
  readonly action: Plan["action"];
  /** One sentence, as the program itself says it. */
  readonly headline: string;
  /** What happens, in its order. */
  readonly steps: readonly PlannedStep[];
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
      steps: [
        ...acting(own, secret, outline, headline !== undefined && readPlan(headline)?.action !== undefined),
        ...keeping(own, secret, outline),
      ],
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

function acting(
  own: readonly Step[],
  secret: string,
  outline: Pick<Outline, "services">,
  acts: boolean,
): PlannedStep[] {
  return inOrder(own.filter((step) => !isPassive(step))).flatMap(({ step, phase }) => {
    const text = describe(step, phase, secret, { ...outline, acts });
    return text === undefined ? [] : [{ phase: phase ?? ("other" as const), text, resource: step.name }];
  });
}

/** What only takes over settings of the config, in one line a part. */
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

/** Whether a command only notes changed inputs: its triggers are the same, and its `update` does nothing. */
const isPassive = ({ op, type, newInputs }: Step): boolean =>
  op === "update" && COMMANDS.has(type) && newInputs.update === NOTHING;

const COMMANDS = new Set(["command:local:Command", "command:remote:Command"]);
/** What a command runs where nothing is to run. */
const NOTHING = "true";

/** The steps with their parts; roles that change after the restarts are not what the rotation begins with. */
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

const opOf = (op: string) => (op.includes("replace") ? "replace" : op);

const plainly = ({ op, type, name }: Step) => `${opOf(op)} ${type} ${name}`;

/** What a step of ours does, in a plan; undefined for one whose words depend on its part of the rotation. */
const STEP_WORDS: Partial<Record<StepName, string>> = {
  preflight: "checks store, database, hosts, services, market and the credential in use, and stops here if one fails",
  "store-unchanged": "makes sure that nobody else has written to the store",
  "store-versions": "notes which versions the store has",
  "vault-rotation": "has Vault rotate the password where that is asked for, and reads when it did last",
  "dry-run": "makes the dry run",
  "lease-end-older": "ends every login from before, by Vault",
};

/** What is made in Vault's database engine, by its type. */
const VAULT_WORDS: Readonly<Record<string, (inputs: Step["newInputs"]) => string>> = {
  "vault:database/secretBackendRole:SecretBackendRole": ({ name }) => `has Vault make logins on demand: role ${name}`,
  "vault:database/secretBackendStaticRole:SecretBackendStaticRole": ({ username }) =>
    `has Vault rotate the password of ${username} from now on`,
  "vault:index/policy:Policy": ({ name }) => `lets services read it: policy ${name}`,
};

/** One line of a plan; undefined for what only accompanies another line. */
function describe(
  step: Step,
  phase: Phase | undefined,
  secret: string,
  { services, acts }: Pick<Outline, "services"> & { readonly acts: boolean },
): string | undefined {
  const { type, name, newInputs, op } = step;
  if (type === LOGIN_ROLE) return login(step, acts);
  if (op === "delete") return step.retained ? `forgets ${whatIs(step)}; it stays as it is` : `deletes ${whatIs(step)}`;
  const inVault = VAULT_WORDS[type];
  if (inVault !== undefined) return inVault(newInputs);
  const program = stepOf(step);
  const words = program === undefined ? undefined : STEP_WORDS[program];
  if (words !== undefined) return words;
  if (program === "lease-proof")
    return `tries a login that Vault makes for ${rest(name, secret, "proof-")}, and ends it`;
  if (type.startsWith("secret-rotation:") || type.startsWith("pulumi:providers:")) return undefined;
  if (type.endsWith(":RandomBytes") || type.endsWith(":RandomId")) return undefined;
  switch (phase) {
    case "new value":
      return `makes the value of slot ${rest(name, secret, "slot-").slice(0, 1)} (${generations(step)})`;
    case "database":
    case "settle":
      return program === undefined || program === "copy-role" || program === "set-role"
        ? role(step, program)
        : marked(step, secret);
    case "verify":
      return "tries the credential";
    case "confirm":
      return "tries the credential again";
    case "store":
      return written(step);
    case "restart": {
      const found = restartOf(name, secret, services);
      if (found === undefined) return plainly(step);
      return `restarts ${found.service}${found.host === undefined ? "" : ` on ${found.host}`} and waits until it is healthy`;
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

/** What follows on the secret and `part` in a resource's name. */
const rest = (name: string, secret: string, part: string) => name.slice(`${slugOf(secret)}-${part}`.length);

/** What a resource stands for, as its users call it. */
function whatIs({ type, name, oldInputs }: Step): string {
  const path = [oldInputs.mount, oldInputs.name ?? oldInputs.path].filter((part) => typeof part === "string");
  return `${path.length === 0 ? name : path.join("/")} (${type})`;
}

function marked(step: Step, secret: string): string {
  const where = aboutOf(step) ?? rest(step.name, secret, "").split("-").slice(0, -1).join("-");
  return `marks ${where}: when it was rotated, until when the previous one works`;
}

function generations({ op, oldInputs, newInputs }: Step): string {
  const [before, after] = [generationOf(oldInputs), generationOf(newInputs)];
  if (after === "-1") return "empty";
  return op === "create" || before === undefined ? `generation ${after}` : `generation ${before} => ${after}`;
}

const generationOf = (inputs: Step["newInputs"]): string | undefined =>
  (inputs.keepers as { generation?: string } | undefined)?.generation;

/** What accompanies a login: the plugin makes the role, and a step gives it what the login in use has. */
function role({ op, type, oldInputs, newInputs }: Step, program: StepName | undefined): string | undefined {
  const name = String(newInputs.name ?? oldInputs.name ?? "?");
  if (program === "copy-role") {
    const { from, to } = copied(newInputs.stdin);
    return to === undefined ? undefined : `gives the role ${to} the settings and limits of ${from}`;
  }
  // The component around it says what it does.
  if (program === "set-role") return undefined;
  if (type !== "postgresql:index/role:Role") return `${opOf(op)} ${type.split(":").at(-1)} ${name}`;
  if (op === "import") return `adopts the role ${name} as it is`;
  return op === "create" ? `makes the role ${name}` : `${opOf(op)} role ${name}`;
}

function copied(stdin: unknown): { readonly from?: string; readonly to?: string } {
  try {
    return JSON.parse(String(stdin)) as { from?: string; to?: string };
  } catch {
    return {};
  }
}

/** Of a role that services log in with: its password, and whether it may log in. */
function login({ op, oldInputs, newInputs }: Step, acts: boolean): string {
  const name = String(newInputs.role ?? oldInputs.role ?? "?");
  if (op === "delete") return `looks after the login of the role ${name} no more, and leaves it as it is`;
  if (op === "create" && !acts) return `takes the login of the role ${name} over as it is`;
  const { login: may, activation, verifier } = newInputs;
  const before = oldInputs.login;
  if (may === false)
    return before === undefined ? `lets nobody log in as ${name} yet` : `lets the role ${name} log in no more`;
  if (activation !== "" && activation !== oldInputs.activation && verifier !== undefined)
    return `gives the role ${name} its password (${verifier})${before === false ? " and lets it log in" : ""}`;
  return before === undefined ? `leaves the role ${name} its login` : `lets the role ${name} log in`;
}

function written(step: Step): string {
  const { newInputs, oldInputs, type, op } = step;
  const about = aboutOf(step);
  if (about !== undefined) return `writes ${about}, beside what others keep there, and reads it back`;
  const inputs = { ...oldInputs, ...newInputs };
  const path = [inputs.mount, inputs.name ?? inputs.path ?? inputs.secretId].filter((part) => typeof part === "string");
  const what = path.length === 0 ? type : path.join("/");
  return op === "import" ? `takes ${what} over as it is` : `writes ${what}`;
}

/** What holds a credential, or is one: nobody gets it back once it is deleted. */
const PRECIOUS = new Set([
  "random:index/randomPassword:RandomPassword",
  "postgresql:index/role:Role",
  "vault:kv/secretV2:SecretV2",
  "vault:kv/secret:Secret",
  "aws:secretsmanager/secret:Secret",
  "aws:secretsmanager/secretVersion:SecretVersion",
]);

function dangersOf(changed: readonly Step[]): string[] {
  return changed.flatMap((step) => {
    const { op, type, name, oldInputs, newInputs } = step;
    if (!PRECIOUS.has(type)) return [];
    if (op === "delete") return step.retained ? [] : [`${name} (${type}) would be deleted`];
    if (opOf(op) !== "replace") return [];
    if (!type.startsWith("random:"))
      return type.includes("SecretVersion") ? [] : [`${name} (${type}) would be replaced`];
    return generationOf(oldInputs) === generationOf(newInputs)
      ? [`${name} would be replaced without a new generation: the credential in use would be lost`]
      : [];
  });
}
