import { Provider } from "@pulumi/aws/provider.js";
import { getSecrets, Secret } from "@pulumi/aws/secretsmanager/index.js";
import * as pulumi from "@pulumi/pulumi";
import { explainAwsText } from "../../clients/aws";
import { messageOf } from "../../core/errors";
import type { DeclareBefore } from "../store";
import type { AwsConfig } from "./schema";

/** What an existing secret keeps: description, policy, replicas and tags belong to their owners. */
const OTHERS = ["description", "forceOverwriteReplicaSecret", "policy", "replicas", "tags", "tagsAll", "type"];

/**
 * Connects to AWS Secrets Manager and looks up the environment's secrets. What it returns declares a secret without its
 * value and its marks, which steps write; one that exists is adopted as it is.
 */
export async function declareSecrets(config: AwsConfig, environment: string): Promise<DeclareBefore> {
  const { kmsKeyId, recoveryWindowDays } = config;
  const provider = createProvider(config);
  const arns = await existingSecrets(config, environment, provider);
  const existing = new Map(arns.map((arn) => [secretName(arn), arn]));
  return (resource, path, opts) => {
    const name = `${environment}/${path}`;
    const arn = existing.get(name);
    return new Secret(
      `${resource}-secret`,
      {
        name,
        recoveryWindowInDays: recoveryWindowDays,
        tags: { environment, managed_by: "secret-rotation" },
        ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
      },
      {
        ...opts,
        provider,
        retainOnDelete: true,
        ...(arn === undefined ? {} : { import: arn }),
        ignoreChanges: kmsKeyId === undefined ? [...OTHERS, "kmsKeyId"] : OTHERS,
      },
    );
  };
}

/** The first call to AWS in an update: if AWS refuses it, nothing was changed. @throws RunError that says what to do */
async function existingSecrets({ region }: AwsConfig, environment: string, provider: Provider): Promise<string[]> {
  const filters = [{ name: "name", values: [`${environment}/`] }];
  try {
    return (await getSecrets({ filters }, { provider })).arns;
  } catch (error) {
    const call = { action: "secretsmanager:ListSecrets", where: `${environment}/* in ${region}`, region };
    const explained = explainAwsText(messageOf(error), call);
    if (explained === undefined) throw error;
    throw new pulumi.RunError(`${explained}. Nothing was changed.`);
  }
}

/** Credentials stay in the environment of the run: in the arguments they would be in the state. */
function createProvider(config: AwsConfig): Provider {
  const { region, endpoint, stsEndpoint, profile, assumeRole, webIdentity, caBundle } = config;
  const own = { ...(endpoint && { secretsmanager: endpoint }), ...(stsEndpoint && { sts: stsEndpoint }) };
  // Only a lab's endpoint has no TLS.
  const isEmulator = endpoint?.startsWith("http:") === true;
  const emulator = {
    skipCredentialsValidation: true,
    skipMetadataApiCheck: true,
    skipRegionValidation: true,
    skipRequestingAccountId: true,
  };
  return new Provider("aws", {
    region,
    ...(Object.keys(own).length === 0 ? {} : { endpoints: [own] }),
    ...(isEmulator ? emulator : {}),
    ...(profile === undefined ? {} : { profile }),
    ...(assumeRole === undefined
      ? {}
      : { assumeRoles: [{ ...assumeRole, duration: `${assumeRole.duration / 1000}s` }] }),
    ...(webIdentity === undefined ? {} : { assumeRoleWithWebIdentity: webIdentityOf(webIdentity) }),
    ...(caBundle === undefined ? {} : { customCaBundle: caBundle }),
  });
}

const webIdentityOf = ({ tokenFile, ...rest }: NonNullable<AwsConfig["webIdentity"]>) => ({
  ...rest,
  webIdentityTokenFile: tokenFile,
});

/** `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>` */
const secretName = (arn: string) => arn.split(":").slice(6).join(":").slice(0, -7);
