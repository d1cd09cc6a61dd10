import { randomUUID } from "node:crypto";
import type { AwsClient } from "./aws-client";
import type { BridgedResource } from "./bridge";
import { text, texts } from "./coerce";
import type { Schema } from "./schema";
import type { Properties } from "./values";

const schema: Schema = {
  arn: { output: true },
  hasSecretStringWo: { output: true },
  region: { computed: true, forceNew: true },
  secretArn: { output: true },
  secretBinary: { forceNew: true, secret: true },
  secretId: { required: true, forceNew: true },
  secretString: { forceNew: true, secret: true },
  secretStringWo: { secret: true },
  secretStringWoVersion: { forceNew: true },
  versionId: { output: true },
  versionStages: { kind: "set", computed: true },
};

const CURRENT = "AWSCURRENT";

/**
 * `aws.secretsmanager.SecretVersion`. A new value is a new version, which takes AWSCURRENT and gives AWSPREVIOUS to the
 * previous one. Deleting a version takes every stage from it but AWSCURRENT: `retainOnDelete` keeps the one to roll back to.
 */
export function secretVersionResource(client: () => AwsClient): BridgedResource {
  return {
    schema,
    create: async (plan) => {
      const secretId = String(plan.secretId);
      const stages = texts(plan.versionStages);
      const { VersionId: versionId = "" } = await client().attempt(
        `putting Secrets Manager Secret (${secretId}) value`,
        (api) =>
          api.putSecretValue({
            SecretId: secretId,
            ClientRequestToken: randomUUID(),
            ...(text(plan.secretBinary) === undefined
              ? { SecretString: text(plan.secretString) ?? "" }
              : { SecretBinary: Buffer.from(String(plan.secretBinary), "base64") }),
            ...(stages.length > 0 ? { VersionStages: stages } : {}),
          }),
      );
      const id = `${secretId}|${versionId}`;
      const state = await readVersion(client(), id, plan);
      if (state === undefined) throw new Error(`no version ${versionId} of ${secretId} right after it was written`);
      return { id, state };
    },
    update: async (id, _old, plan) => {
      await moveStages(client(), id, texts(plan.versionStages));
      const state = await readVersion(client(), id, plan);
      if (state === undefined)
        throw new Error(`Secrets Manager Secret Version (${id}) is not there: run pulumi refresh`);
      return state;
    },
    read: (id, old) => readVersion(client(), id, old),
    delete: async (id) => {
      await removeStages(client(), id, [CURRENT]);
    },
  };
}

function parts(id: string): { secretId: string; versionId: string } {
  const [secretId = "", versionId = ""] = id.split("|");
  return { secretId, versionId };
}

async function readVersion(
  client: AwsClient,
  id: string,
  known: Properties | undefined,
): Promise<Properties | undefined> {
  const { secretId, versionId } = parts(id);
  const found = await client.find(`reading Secrets Manager Secret Version (${id})`, (api) =>
    api.getSecretValue({ SecretId: secretId, VersionId: versionId }),
  );
  if (found === undefined) return undefined;
  const binary = found.SecretBinary === undefined ? "" : Buffer.from(found.SecretBinary).toString("base64");
  return {
    arn: found.ARN ?? "",
    hasSecretStringWo: known?.hasSecretStringWo ?? false,
    region: client.region,
    secretArn: found.ARN ?? "",
    secretBinary: binary,
    secretId,
    secretString: found.SecretString ?? "",
    secretStringWo: null,
    secretStringWoVersion: known?.secretStringWoVersion ?? null,
    versionId,
    versionStages: [...(found.VersionStages ?? [])].sort(),
  };
}

/** Gives a version the stages that it should have, also those of another version. */
async function moveStages(client: AwsClient, id: string, wanted: string[]): Promise<void> {
  const { secretId, versionId } = parts(id);
  const secret = await removeStages(client, id, [CURRENT, ...wanted]);
  for (const stage of wanted.filter((item) => !secret?.[versionId]?.includes(item))) {
    const [from] = Object.entries(secret ?? {}).find(([, stages]) => stages.includes(stage)) ?? [];
    await client.attempt(`updating Secrets Manager Secret Version (${id}) stages`, (api) =>
      api.updateSecretVersionStage({
        SecretId: secretId,
        VersionStage: stage,
        MoveToVersionId: versionId,
        ...(from === undefined ? {} : { RemoveFromVersionId: from }),
      }),
    );
  }
}

/** Takes every stage but those from a version, and says which version had which before. */
async function removeStages(
  client: AwsClient,
  id: string,
  keep: string[],
): Promise<Record<string, string[]> | undefined> {
  const { secretId, versionId } = parts(id);
  const doing = `updating Secrets Manager Secret Version (${id}) stages`;
  const secret = await client.find(doing, (api) => api.describeSecret({ SecretId: secretId }));
  if (secret === undefined || secret.DeletedDate !== undefined) return undefined;
  const held = secret.VersionIdsToStages?.[versionId] ?? [];
  for (const stage of held.filter((item) => !keep.includes(item))) {
    await client.attempt(doing, (api) =>
      api.updateSecretVersionStage({ SecretId: secretId, VersionStage: stage, RemoveFromVersionId: versionId }),
    );
  }
  return secret.VersionIdsToStages;
}
