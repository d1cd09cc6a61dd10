import type { BridgedResource } from "./bridge";
import { canonicalJson, normalizeJson } from "./canonical-json";
import { number, text } from "./coerce";
import type { Schema } from "./schema";
import { isObject, type Json, type Properties, same } from "./values";
import type { VaultClient } from "./vault-client";

const schema: Schema = {
  cas: {},
  customMetadata: {
    kind: "block",
    computed: true,
    fields: {
      casRequired: { computed: true },
      data: { kind: "map", computed: true },
      deleteVersionAfter: { computed: true },
      maxVersions: { computed: true },
    },
  },
  data: { kind: "map", output: true, secret: true },
  dataJson: { secret: true, normalize: normalizeJson },
  dataJsonWo: {},
  dataJsonWoVersion: {},
  deleteAllVersions: { default: false },
  disableRead: { default: false },
  metadata: { kind: "map", output: true },
  mount: { required: true, forceNew: true },
  name: { autoName: true, forceNew: true },
  namespace: { forceNew: true },
  options: { kind: "map" },
  path: { output: true },
};

/** `vault.kv.SecretV2`: one version more on every change of the data. What others write is not noticed, as with the real one. */
export function secretV2Resource(client: () => VaultClient): BridgedResource {
  const write = async (plan: Properties, old: Properties): Promise<Properties> => {
    const path = dataPath(plan);
    const data = JSON.parse(text(plan.dataJson) ?? "{}") as Json;
    const cas = number(plan.cas);
    const options = { ...(isObject(plan.options) ? plan.options : {}), ...(cas === undefined ? {} : { cas }) };
    await client().write(path, { data, options }, plan.namespace);
    // What the state merely remembers may have been changed by others: it is written only when the program says so.
    if (isObject(plan.customMetadata) && !same(plan.customMetadata, old.customMetadata))
      await writeMetadata(client(), plan, plan.customMetadata);
    const state = await readSecret(client(), path, plan);
    if (state === undefined) throw new Error(`no secret found at "${path}" right after it was written`);
    return state;
  };
  return {
    schema,
    create: async (plan) => ({ id: dataPath(plan), state: await write(plan, {}) }),
    update: async (_id, old, plan) => write(plan, old),
    read: async (id, old) => (old?.disableRead === true ? old : readSecret(client(), id, old)),
    delete: async (id, state) => {
      const path = state.deleteAllVersions === true ? metadataPath(state) : id;
      await client().remove(path, state.namespace);
    },
  };
}

function dataPath({ mount, name }: Properties): string {
  return `${mount}/data/${name}`;
}

function metadataPath({ mount, name }: Properties): string {
  return `${mount}/metadata/${name}`;
}

async function writeMetadata(client: VaultClient, plan: Properties, wanted: Properties): Promise<void> {
  const body: Properties = {
    cas_required: wanted.casRequired ?? false,
    custom_metadata: wanted.data ?? {},
    delete_version_after: `${number(wanted.deleteVersionAfter) ?? 0}s`,
    max_versions: wanted.maxVersions ?? 0,
  };
  await client.write(metadataPath(plan), body, plan.namespace);
}

async function readSecret(
  client: VaultClient,
  path: string,
  known: Properties | undefined,
): Promise<Properties | undefined> {
  const answer = await client.read(path, known?.namespace);
  if (!isObject(answer?.metadata) || !isObject(answer.data)) return undefined;
  const [, mount = "", name = ""] = /^(.*?)\/data\/(.*)$/s.exec(path) ?? [];
  const details = await client.read(metadataPath({ mount, name }), known?.namespace);
  const imported: Properties = { dataJson: canonicalJson(answer.data), deleteAllVersions: false, disableRead: false };
  const {
    created_time = "",
    custom_metadata = null,
    deletion_time = "",
    destroyed = false,
    version = 0,
  } = answer.metadata;
  return {
    ...Object.fromEntries(Object.keys(schema).map((key) => [key, null])),
    ...(known ?? imported),
    customMetadata: {
      casRequired: details?.cas_required ?? false,
      data: details?.custom_metadata ?? {},
      deleteVersionAfter: seconds(text(details?.delete_version_after) ?? "0s"),
      maxVersions: details?.max_versions ?? 0,
    },
    data: {},
    metadata: {
      created_time,
      custom_metadata: canonicalJson(custom_metadata),
      deletion_time,
      destroyed: String(destroyed),
      version: String(version),
    },
    mount,
    name,
    path,
  };
}

const unitSeconds: Record<string, number> = { h: 3600, m: 60, s: 1 };

/** Go's durations: `1h0m0s`. */
function seconds(duration: string): number {
  return [...duration.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (unitSeconds[unit ?? ""] ?? 0),
    0,
  );
}

/** `vault.kv.getSecretV2`: the requested version, or the newest. */
export async function getSecretV2(client: VaultClient, args: Properties): Promise<Properties> {
  const path = dataPath(args);
  const version = number(args.version);
  const answer = await client.read(version === undefined ? path : `${path}?version=${version}`, args.namespace);
  if (!isObject(answer?.metadata) || !isObject(answer.data)) throw new Error(`no secret found at "${path}"`);
  const { created_time = "", custom_metadata = null, deletion_time = "", destroyed = false } = answer.metadata;
  const asText = ([key, value]: [string, Json]) => [key, typeof value === "string" ? value : canonicalJson(value)];
  return {
    createdTime: created_time,
    ...(isObject(custom_metadata) ? { customMetadata: custom_metadata } : {}),
    data: Object.fromEntries(Object.entries(answer.data).map(asText)),
    dataJson: canonicalJson(answer.data),
    deletionTime: deletion_time,
    destroyed,
    id: path,
    mount: args.mount ?? "",
    name: args.name ?? "",
    path,
    version: answer.metadata.version ?? 0,
  };
}
