import type { DescribeSecretResponse, SecretsManager, Tag } from "@aws-sdk/client-secrets-manager";
import type { AwsClient } from "./aws-client";
import type { BridgedResource } from "./bridge";
import { normalizeJson } from "./canonical-json";
import { number, text } from "./coerce";
import type { Schema } from "./schema";
import { isObject, type Json, type Properties, same } from "./values";

const schema: Schema = {
  arn: { output: true },
  description: {},
  forceOverwriteReplicaSecret: { default: false },
  kmsKeyId: {},
  name: { autoName: true, computed: true, forceNew: true },
  namePrefix: { computed: true, forceNew: true },
  policy: { computed: true, normalize: normalizeJson },
  recoveryWindowInDays: { default: 30 },
  region: { computed: true, forceNew: true },
  replicas: { kind: "list", computed: true },
  tags: { kind: "map" },
  tagsAll: { kind: "map", output: true },
  type: { computed: true, forceNew: true },
};

/** `aws.secretsmanager.Secret`. Deleting it blocks its name for `recoveryWindowInDays` (default 30; 0: gone at once). */
export function secretResource(client: () => AwsClient): BridgedResource {
  const present = async (id: string, known: Properties): Promise<Properties> => {
    const state = await readSecret(client(), id, known);
    if (state === undefined) throw new Error(`Secrets Manager Secret (${id}) is not there: run pulumi refresh`);
    return state;
  };
  return {
    schema,
    create: async (plan) => {
      const name = String(plan.name);
      const doing = `creating Secrets Manager Secret (${name})`;
      const { ARN: id = "" } = await client().attempt(doing, (api) =>
        api.createSecret({
          Name: name,
          Description: text(plan.description),
          KmsKeyId: text(plan.kmsKeyId),
          Tags: tagList({ ...client().defaultTags, ...tags(plan.tags) }),
          ForceOverwriteReplicaSecret: plan.forceOverwriteReplicaSecret === true,
        }),
      );
      await applyPolicy(client(), id, plan.policy ?? null, null);
      return { id, state: await present(id, plan) };
    },
    update: async (id, old, plan) => {
      await updateSecret(client(), id, old, plan);
      await applyPolicy(client(), id, plan.policy ?? null, old.policy ?? null);
      return present(id, plan);
    },
    read: (id, old) => readSecret(client(), id, old),
    delete: async (id, state) => {
      const days = number(state.recoveryWindowInDays) ?? 30;
      await client().find(`deleting Secrets Manager Secret (${id})`, (api) =>
        api.deleteSecret({
          SecretId: id,
          ...(days === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: days }),
        }),
      );
    },
  };
}

async function updateSecret(client: AwsClient, id: string, old: Properties, plan: Properties): Promise<void> {
  const changed = (key: string) => !same(old[key] ?? null, plan[key] ?? null);
  await client.attempt(`updating Secrets Manager Secret (${id})`, async (api) => {
    if (changed("description") || changed("kmsKeyId")) {
      const Description = text(plan.description) ?? "";
      await api.updateSecret({ SecretId: id, Description, KmsKeyId: text(plan.kmsKeyId) });
    }
    await updateTags(api, id, tags(old.tags), { ...client.defaultTags, ...tags(plan.tags) });
  });
}

async function updateTags(
  api: SecretsManager,
  id: string,
  before: Record<string, string>,
  after: Record<string, string>,
): Promise<void> {
  const gone = Object.keys(before).filter((key) => after[key] === undefined);
  const wanted = Object.entries(after).filter(([key, value]) => before[key] !== value);
  if (gone.length > 0) await api.untagResource({ SecretId: id, TagKeys: gone });
  if (wanted.length > 0) await api.tagResource({ SecretId: id, Tags: tagList(Object.fromEntries(wanted)) });
}

async function applyPolicy(client: AwsClient, id: string, policy: Json, old: Json): Promise<void> {
  if ((text(policy) ?? "") === (text(old) ?? "")) return;
  await client.attempt(`putting Secrets Manager Secret (${id}) policy`, async (api) => {
    if (text(policy) === undefined) await api.deleteResourcePolicy({ SecretId: id });
    else await api.putResourcePolicy({ SecretId: id, ResourcePolicy: text(policy) });
  });
}

async function readSecret(
  client: AwsClient,
  id: string,
  known: Properties | undefined,
): Promise<Properties | undefined> {
  const doing = `reading Secrets Manager Secret (${id})`;
  const found = await client.find(doing, (api) => api.describeSecret({ SecretId: id }));
  if (found === undefined || found.DeletedDate !== undefined) return undefined;
  const { ResourcePolicy: policy = "" } =
    (await client.find(doing, (api) => api.getResourcePolicy({ SecretId: id }))) ?? {};
  const all = Object.fromEntries((found.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
  const own = Object.entries(all).filter(([key, value]) => client.defaultTags[key] !== value);
  return {
    arn: found.ARN ?? id,
    description: found.Description ?? "",
    forceOverwriteReplicaSecret: known?.forceOverwriteReplicaSecret ?? false,
    kmsKeyId: found.KmsKeyId ?? "",
    name: found.Name ?? "",
    namePrefix: known?.namePrefix ?? "",
    policy: normalizeJson(policy),
    recoveryWindowInDays: known?.recoveryWindowInDays ?? 30,
    region: client.region,
    replicas: replicas(found),
    tags: Object.fromEntries(own),
    tagsAll: all,
    type: known?.type ?? "",
  };
}

function replicas(found: DescribeSecretResponse): Json[] {
  return (found.ReplicationStatus ?? []).map((replica) => ({
    kmsKeyId: replica.KmsKeyId ?? "",
    lastAccessedDate: replica.LastAccessedDate?.toISOString() ?? "",
    region: replica.Region ?? "",
    status: replica.Status ?? "",
    statusMessage: replica.StatusMessage ?? "",
  }));
}

function tags(value: Json | undefined): Record<string, string> {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)])) : {};
}

function tagList(values: Record<string, string>): Tag[] {
  return Object.entries(values).map(([Key, Value]) => ({ Key, Value }));
}
