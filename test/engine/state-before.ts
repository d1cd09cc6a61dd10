import { type Exported, secret, stdinOf } from "./exported";
import { withFormerSteps } from "./former-steps";
import { withFormerWrites } from "./former-writes";

interface Export {
  readonly version: number;
  readonly deployment: { readonly resources: readonly Exported[]; readonly [more: string]: unknown };
}

/** What a command of ours does, and the path that it is about. */
const STEP = /^node dist\/steps\/(store-write|store-mark)\.mjs (.+)$/;
const VAULT = "urn:pulumi:paper::secret-rotation::pulumi:providers:vault::vault";
const VAULT_ID = "0d1f0a2c-6f0e-4a0e-9b1c-9d4f5a6b7c8d";

/**
 * A state as the program left it before it wrote the store by a step of its own: provider's resources with the same names
 * in place of the commands, and a command that read back. Their inputs are those that version b47dddb gave them.
 *
 * @param versions of AWS: the version in use, by the secret's name.
 */
export function stateBefore(text: string, versions: Readonly<Record<string, string>>): string {
  const { version, deployment } = JSON.parse(text) as Export;
  const urns = new Map<string, string>();
  const replacing = withFormerSteps(withFormerWrites(deployment.resources)).map(replacedStep);
  const resources = replacing.map((resource) => {
    const former = formerOf(resource, versions, replacing);
    if (former !== undefined) urns.set(resource.urn, former.urn);
    return former ?? resource;
  });
  const isVault = resources.some(({ type }) => type.startsWith("vault:"));
  const stack = resources.findIndex(({ type }) => type === "pulumi:pulumi:Stack");
  const inputs = { skipChildToken: "true", version: "7.8.0" };
  const provider = { urn: VAULT, custom: true, id: VAULT_ID, type: "pulumi:providers:vault", inputs, outputs: inputs };
  if (isVault) resources.splice(stack + 1, 0, provider);
  const whole = { version, deployment: { ...deployment, resources } };
  // What depended on a command depends on what stood in its place.
  const json = JSON.stringify(whole).replaceAll(/,"(inPlace|derivesSalts)":-?\d+/g, "");
  return [...urns].reduce((text, [now, then]) => text.replaceAll(`"${now}"`, `"${then}"`), json);
}

/** A step as it was before steps ran in place: a trigger replaced it. */
function replacedStep(resource: Exported): Exported {
  const { environment, ...inputs } = resource.inputs ?? {};
  const { ROTATION_ACTIVATION: activation, ROTATION_ONCE: once } = (environment ?? {}) as Readonly<
    Record<string, string>
  >;
  if (activation === undefined) return resource;
  const { environment: _, stdout, ...outputs } = resource.outputs as Readonly<Record<string, unknown>>;
  const { activation: __, ...answer } = JSON.parse(String(stdout));
  const former = {
    triggers: [activation],
    addPreviousOutputInEnv: false,
    ...(once === undefined ? {} : { update: "true" }),
    // It said by an argument that only its input has changed.
    ...(JSON.stringify(inputs.stdin).includes("rehearsal") ? { update: `${inputs.create} again` } : {}),
  };
  return {
    ...resource,
    ignoreChanges: (resource.ignoreChanges as readonly string[]).filter((key) => key !== "triggers"),
    inputs: { ...inputs, ...former },
    outputs: { ...outputs, ...former, stdout: JSON.stringify(answer) },
  };
}

function formerOf(
  resource: Exported,
  versions: Readonly<Record<string, string>>,
  all: readonly Exported[],
): Exported | undefined {
  const [, step, place = ""] = STEP.exec(String(resource.inputs?.create)) ?? [];
  if (step === undefined) return undefined;
  const input = stdinOf<Stdin>(resource);
  const isVault = input.store.kind === "vault";
  if (step === "store-mark") {
    // AWS was marked by a command then as well, by another name of the step.
    if (!isVault) return { ...resource, inputs: { ...resource.inputs, create: "node dist/steps/tag-secret.mjs" } };
    const path = place.replace(/^([^/]+)\//, "$1/metadata/");
    const dataJson = secret(JSON.stringify({ custom_metadata: input.says }));
    const own = { path, dataJson, disableDelete: true, disableRead: true, ignoreAbsentFields: true };
    return as(resource, "vault:generic/endpoint:Endpoint", path, own, `${VAULT}::${VAULT_ID}`);
  }
  const { entry, pair } = input;
  if (isVault) {
    const [mount = "", ...rest] = place.split("/");
    const document = { value: entry.value, ...(pair === undefined ? {} : { generation: String(pair.generation) }) };
    const own = { mount, name: rest.join("/"), dataJson: secret(JSON.stringify(document)), deleteAllVersions: false };
    const kept = as(resource, "vault:kv/secretV2:SecretV2", `${mount}/data/${own.name}`, own, `${VAULT}::${VAULT_ID}`);
    return { ...kept, retainOnDelete: true };
  }
  const owner = all.find(({ urn }) => urn.endsWith(`::${resource.urn.split("::").at(-1)}-secret`));
  const versionId = versions[place] ?? "";
  const own = { secretId: owner?.id, secretString: secret(entry.value), versionId };
  const kept = as(
    resource,
    "aws:secretsmanager/secretVersion:SecretVersion",
    `${owner?.id}|${versionId}`,
    own,
    String(owner?.provider),
  );
  return { ...kept, retainOnDelete: true };
}

function as(resource: Exported, type: string, id: string, own: Record<string, unknown>, provider: string): Exported {
  const { propertyDependencies: _, ...rest } = resource;
  const urn = resource.urn.replace("command:local:Command", type);
  return { ...rest, urn, type, id, inputs: { __defaults: [], ...own }, outputs: own, provider };
}

interface Stdin {
  readonly store: { readonly kind: string };
  readonly entry: { readonly value: string };
  readonly pair?: { readonly generation: number };
  readonly says: Record<string, string>;
}
