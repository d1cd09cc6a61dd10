import * as pulumi from "@pulumi/pulumi";
import { getMonitor } from "@pulumi/pulumi/runtime/settings.js";
import { placeOf } from "../../../kinds/phases";

/** One resource that a program asked for. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** What exists and is taken over, by its id; undefined where the resource is made. */
  readonly imported: string | undefined;
  /** The names of the resources that it waits for. */
  after: readonly string[];
}

/** What each type answers besides its inputs. A type that is not here makes the test fail. */
const OUTPUTS: Record<string, (name: string) => Record<string, unknown>> = {
  "random:index/randomPassword:RandomPassword": (name) => ({ result: `password of ${name}` }),
  "random:index/randomBytes:RandomBytes": () => ({ base64: Buffer.alloc(16, 7).toString("base64") }),
  "random:index/randomId:RandomId": () => ({ hex: "0011223344556677" }),
  "postgresql:index/role:Role": () => ({}),
  "command:local:Command": (name) => ({ stdout: answerOf(name), stderr: "" }),
  "vault:index/mount:Mount": () => ({}),
  "vault:index/policy:Policy": () => ({}),
  "vault:database/secretBackendConnection:SecretBackendConnection": () => ({}),
  "vault:database/secretBackendStaticRole:SecretBackendStaticRole": () => ({}),
  "vault:database/secretBackendRole:SecretBackendRole": () => ({}),
  "pulumi:providers:postgresql": () => ({}),
  "pulumi:providers:vault": () => ({}),
  "secret-rotation:index:PostgresPassword": () => ({}),
  "secret-rotation:index:LoginRole": () => ({}),
  "secret-rotation:index:VaultStaticPassword": () => ({}),
  "secret-rotation:index:VaultDynamicLogins": () => ({}),
  "secret-rotation:index:AlpacaKey": () => ({}),
  "secret-rotation:index:ApiKey": () => ({}),
  "secret-rotation:index:IssuedApiKey": () => ({}),
  "secret-rotation:index:RedisPassword": () => ({}),
  "secret-rotation:index:CustomSecret": () => ({}),
  "secret-rotation:index:Preflight": () => ({}),
  "secret-rotation:index:RollingRestart": () => ({}),
  "secret-rotation:index:AuditRecord": () => ({}),
};

/** What a step answers: one that issues a credential, its values. */
function answerOf(name: string): string {
  if (!/-key-\d+$/.test(name)) return '{"startedAt":"2026-11-23T02:00:00.000Z","entries":[]}';
  return JSON.stringify({ values: { keyId: `id of ${name}`, secretKey: `secret of ${name}` } });
}

/** Runs a program against strict mocks: an unknown resource or any call throws. Returns what it declared, in order. */
export async function declare(program: () => pulumi.Output<unknown>): Promise<Declared[]> {
  const declared: Declared[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, id }) => {
        const outputs = OUTPUTS[type];
        if (outputs === undefined) throw new Error(`unknown resource type ${type} (${name})`);
        declared.push({ type, name, inputs, imported: id === "" ? undefined : id, after: [] });
        return { id: `${name}-id`, state: { ...inputs, ...outputs(name) } };
      },
      call: ({ token }) => {
        throw new Error(`unknown call ${token}`);
      },
    },
    "secret-rotation",
    "paper",
    false,
  );
  const unknown = watchPhases(declared);
  await new Promise((resolve) => program().apply(resolve));
  if (unknown.length > 0) throw new Error(`no row in kinds/phases.ts for ${unknown.join(", ")}`);
  return declared;
}

interface Registration {
  getName(): string;
  getType(): string;
  getParent(): string;
  getDependenciesList(): string[];
}

/** Looks up every resource's part of a rotation as it is declared: what no table has could not be told of in a plan. */
function watchPhases(declared: readonly Declared[]): string[] {
  const unknown: string[] = [];
  type Done = (...answer: unknown[]) => void;
  const monitor = getMonitor() as unknown as { registerResource(asked: Registration, done: Done): unknown };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (asked, done) =>
    register(asked, (...answer) => {
      const [name, type, around] = [asked.getName(), asked.getType(), asked.getParent().split("::")[2] ?? ""];
      const found = declared.find((resource) => resource.name === name);
      if (found !== undefined) found.after = asked.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? "");
      const newInputs = found?.inputs ?? {};
      const urn = `urn:pulumi:paper::secret-rotation::${around === "" ? "" : `${around}$`}${type}::${name}`;
      if (placeOf({ type, name, urn, newInputs }) === undefined) unknown.push(`${name} (${type})`);
      done(...answer);
    });
  return unknown;
}

/** The names of the resources that act, in the order in which they are declared. */
export const order = (all: readonly Declared[]) =>
  all.filter(({ type }) => !type.startsWith("secret-rotation") && !type.startsWith("pulumi:")).map(({ name }) => name);

/** The inputs of a resource; undefined where there is none of that name. */
export const namedIn = (all: readonly Declared[], name: string) =>
  all.find((resource) => resource.name === name)?.inputs;

/** The names of the resources whose inputs differ. */
export const moved = (before: readonly Declared[], after: readonly Declared[]) =>
  after
    .filter(({ name, inputs }) => JSON.stringify(inputs) !== JSON.stringify(namedIn(before, name)))
    .map(({ name }) => name);

/** Pulumi hands a secret input over wrapped. */
export const plain = (value: unknown) =>
  typeof value === "object" && value !== null && "value" in value ? value.value : value;

/** What a step reads from stdin. */
export const inputOf = (all: readonly Declared[], name: string) => JSON.parse(String(plain(namedIn(all, name)?.stdin)));
