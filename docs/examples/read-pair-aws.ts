import { SecretsManager } from "@aws-sdk/client-secrets-manager";

/** Reads secrets of AWS Secrets Manager that belong together, and never one of the old pair with one of the new. */
async function read(name: string, client: SecretsManager) {
  const { SecretString, VersionStages } = await client.getSecretValue({ SecretId: name });
  return { value: SecretString ?? "", slot: VersionStages?.find((label) => label.startsWith("slot-")) };
}

export async function readPair(names: string[], client = new SecretsManager()): Promise<string[]> {
  for (;;) {
    const parts: Awaited<ReturnType<typeof read>>[] = [];
    for (const name of names) parts.push(await read(name, client));
    if (new Set(parts.map(({ slot }) => slot)).size === 1) return parts.map(({ value }) => value);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
