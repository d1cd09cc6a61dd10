import type { Bench } from "./harness";

/** The values that AWS's own two labels stand at. */
export async function labelled({ lab }: Bench, path: string): Promise<Record<string, string | undefined>> {
  const read = async (VersionStage: string) =>
    (await lab.moto?.secrets.getSecretValue({ SecretId: `${lab.environment}/${path}`, VersionStage }))?.SecretString;
  return { current: await read("AWSCURRENT"), previous: await read("AWSPREVIOUS") };
}

/** The tags of a secret in AWS. */
export async function tagsOf({ lab }: Bench, path: string): Promise<Record<string, string | undefined>> {
  const about = await lab.moto?.secrets.describeSecret({ SecretId: `${lab.environment}/${path}` });
  return Object.fromEntries((about?.Tags ?? []).map(({ Key = "", Value }) => [Key, Value]));
}
