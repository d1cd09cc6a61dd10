import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SecretReader } from "./secret-reader";
import type { AwsStoreConfig } from "./types";

/** Labels that say which values belong together, beside AWS's own. */
const PAIR_LABEL = /^slot-/;

/** Reads AWS Secrets Manager: the version with the label AWSCURRENT. */
export function awsReader({ region, endpoint, accessKeyId, secretAccessKey }: AwsStoreConfig): SecretReader {
  let connected: Promise<{ sdk: typeof import("@aws-sdk/client-secrets-manager"); client: SecretsManagerClient }>;
  const connect = async () => {
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const { default: sdk } = await import("@aws-sdk/client-secrets-manager");
    const credentials = { accessKeyId, secretAccessKey };
    return { sdk, client: new sdk.SecretsManagerClient({ region, endpoint, credentials }) };
  };
  const read: SecretReader["read"] = async (path) => {
    connected ??= connect();
    const { sdk, client } = await connected;
    try {
      const answer = await client.send(new sdk.GetSecretValueCommand({ SecretId: path }));
      if (answer.SecretString === undefined) throw new Error(`expected a text at ${path}, found binary data`);
      const version = answer.VersionId ?? "";
      const generation = answer.VersionStages?.find((label) => PAIR_LABEL.test(label));
      return { value: answer.SecretString, version, ...(generation !== undefined && { generation }) };
    } catch (error) {
      if (error instanceof sdk.ResourceNotFoundException) return undefined;
      throw error;
    }
  };
  return {
    backend: "aws",
    read,
    async document(path) {
      const found = await read(path);
      return found && { data: JSON.parse(found.value) as Record<string, unknown>, version: found.version };
    },
  };
}
