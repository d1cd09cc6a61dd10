import type { SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import { messageOf, StepError } from "../core/errors";
import type { AwsLogin } from "../stores/aws/login/schema";
import { agentWith, awsTrust } from "./trust";

type Credentials = NonNullable<SecretsManagerClientConfig["credentials"]>;

/** How calls to AWS travel: to another endpoint, over a private authority. */
export function awsTransport(caBundle: string | undefined) {
  const httpsAgent = agentWith(
    awsTrust(caBundle === undefined ? process.env : { ...process.env, AWS_CA_BUNDLE: caBundle }),
  );
  return httpsAgent === undefined ? {} : { requestHandler: { httpsAgent } };
}

/**
 * The credentials that the config says how to get; undefined if it says nothing: then the SDK looks in the environment, as
 * the `aws` command does.
 *
 * @throws StepError if the role is not given
 */
export async function awsCredentials(region: string, login: AwsLogin): Promise<Credentials | undefined> {
  const { profile, assumeRole, webIdentity, stsEndpoint, caBundle } = login;
  if (profile === undefined && assumeRole === undefined && webIdentity === undefined) return undefined;
  // Loaded when used: few stacks say how.
  const { default: sdk } = await import("@aws-sdk/credential-providers");
  const clientConfig = {
    region,
    ...awsTransport(caBundle),
    ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
  };
  const own =
    webIdentity === undefined
      ? sdk.fromNodeProviderChain({ clientConfig, ...(profile === undefined ? {} : { profile }) })
      : sdk.fromTokenFile({
          clientConfig,
          roleArn: webIdentity.roleArn,
          roleSessionName: webIdentity.sessionName,
          webIdentityTokenFile: webIdentity.tokenFile,
        });
  const given =
    assumeRole === undefined
      ? own
      : sdk.fromTemporaryCredentials({
          clientConfig,
          masterCredentials: own,
          params: {
            RoleArn: assumeRole.roleArn,
            RoleSessionName: assumeRole.sessionName,
            DurationSeconds: assumeRole.duration / 1000,
            ...(assumeRole.externalId === undefined ? {} : { ExternalId: assumeRole.externalId }),
          },
        });
  try {
    // Once here: a refusal is about the login, and no longer about the secret.
    await given();
  } catch (error) {
    throw new StepError(`AWS gives the run no credentials: ${messageOf(error).trim()}. ${checkOf(login)}`, {
      cause: error,
    });
  }
  return given;
}

function checkOf({ profile, assumeRole, webIdentity }: AwsLogin): string {
  if (webIdentity !== undefined)
    return `Check store.webIdentity: the role ${webIdentity.roleArn} must trust the token's issuer, audience and subject`;
  if (assumeRole !== undefined)
    return `Check store.assumeRole: the role ${assumeRole.roleArn} must trust the run's own identity (\`aws sts get-caller-identity\`) and its external id`;
  return `Check the profile ${profile} with \`aws sts get-caller-identity --profile ${profile}\`, or renew it with \`aws sso login --profile ${profile}\``;
}
