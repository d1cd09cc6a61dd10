import * as pulumi from "@pulumi/pulumi";

/** One resource that a program asked for. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** What exists and is taken over, by its id; undefined where the resource is made. */
  readonly imported: string | undefined;
}

/** What each type answers besides its inputs. A type that is not here makes the test fail. */
const OUTPUTS: Record<string, (name: string) => Record<string, unknown>> = {
  "random:index/randomPassword:RandomPassword": (name) => ({ result: `password of ${name}` }),
  "random:index/randomBytes:RandomBytes": () => ({ base64: Buffer.alloc(16, 7).toString("base64") }),
  "random:index/randomId:RandomId": () => ({ hex: "0011223344556677" }),
  "postgresql:index/role:Role": () => ({}),
  "command:local:Command": () => ({ stdout: '{"startedAt":"2026-11-23T02:00:00.000Z","entries":[]}', stderr: "" }),
  "command:remote:Command": () => ({ stdout: "healthy", stderr: "" }),
  "vault:index/mount:Mount": () => ({}),
  "vault:index/policy:Policy": () => ({}),
  "vault:database/secretBackendConnection:SecretBackendConnection": () => ({}),
  "vault:database/secretBackendStaticRole:SecretBackendStaticRole": () => ({}),
  "vault:database/secretBackendRole:SecretBackendRole": () => ({}),
  "pulumi:providers:postgresql": () => ({}),
  "pulumi:providers:vault": () => ({}),
  "secret-rotation:index:PostgresPassword": () => ({}),
  "secret-rotation:index:VaultStaticPassword": () => ({}),
  "secret-rotation:index:VaultDynamicLogins": () => ({}),
  "secret-rotation:index:AlpacaKey": () => ({}),
  "secret-rotation:index:Preflight": () => ({}),
  "secret-rotation:index:RollingRestart": () => ({}),
  "secret-rotation:index:AuditRecord": () => ({}),
};

/** Runs a program against strict mocks: an unknown resource or any call throws. Returns what it declared, in order. */
export async function declare(program: () => pulumi.Output<unknown>): Promise<Declared[]> {
  const declared: Declared[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, id }) => {
        const outputs = OUTPUTS[type];
        if (outputs === undefined) throw new Error(`unknown resource type ${type} (${name})`);
        declared.push({ type, name, inputs, imported: id === "" ? undefined : id });
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
  await new Promise((resolve) => program().apply(resolve));
  return declared;
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
