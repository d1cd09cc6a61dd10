import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { messageOf, StepError } from "../core/errors";
import { quoted } from "../core/shell-word";
import type { AwsLogin } from "../stores/aws/login/schema";
import { awsCredentials, awsTransport } from "./aws-login";

type Sdk = typeof import("@aws-sdk/client-secrets-manager");

interface Connection {
  readonly sdk: Sdk;
  readonly client: SecretsManagerClient;
}

/** How often a call is tried until a throttled one counts as failed. */
const ATTEMPTS = 5;

/** The API of AWS Secrets Manager. What the login does not say comes from the environment, as the `aws` command takes it. */
export class SecretsManager {
  private connected: Promise<Connection> | undefined;

  /** @param endpoint another one than AWS's own */
  constructor(
    readonly region: string,
    private readonly endpoint: string | undefined,
    private readonly login: AwsLogin = {},
  ) {}

  /** @returns undefined if the secret, or the version, does not exist. @throws StepError */
  async ask<T>(
    operation: string,
    secret: string,
    call: (connection: Connection) => Promise<T>,
  ): Promise<T | undefined> {
    this.connected ??= this.connect();
    try {
      return await call(await this.connected);
    } catch (error) {
      if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
      if (error instanceof StepError) throw error;
      const call = { action: `secretsmanager:${operation}`, where: this.whereIs(secret), region: this.region };
      throw awsError(error, call, this.argsOf(secret));
    }
  }

  /** The secret and its region. */
  whereIs(secret: string): string {
    return `${secret} in ${this.region}`;
  }

  /** The secret, as the `aws` command takes it. */
  argsOf(secret: string): string {
    const endpoint = this.endpoint === undefined ? "" : ` --endpoint-url ${quoted(this.endpoint)}`;
    return `--secret-id ${quoted(secret)} --region ${this.region}${endpoint}`;
  }

  // Loaded at first use: a Vault stack's steps start faster without it.
  private async connect(): Promise<Connection> {
    // The SDK's warnings about Node.js would appear among the step's errors.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const { default: sdk } = await import("@aws-sdk/client-secrets-manager");
    const { region, endpoint, login } = this;
    const credentials = await awsCredentials(region, login);
    const client = new sdk.SecretsManagerClient({
      region,
      maxAttempts: ATTEMPTS,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...awsTransport(login.caBundle),
      ...(credentials === undefined ? {} : { credentials }),
    });
    return { sdk, client };
  }
}

/** The facts about a failed call. */
interface Call {
  /** The action, as an IAM policy names it: `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** The secret and its region. */
  readonly where: string;
  readonly region: string;
}

type Explanation = (call: Call, words: string) => string;

const expired: Explanation = ({ where }) =>
  `the AWS credentials have expired (${where}): renew them, for example with \`aws sso login\`, and run this again`;

const denied: Explanation = ({ action, where }, words) =>
  `AWS denies ${action} on ${where}: ${words}; give the run's role the policy in docs/aws.md`;

const noKey: Explanation = ({ where }, words) =>
  `AWS cannot use the KMS key of ${where}: ${words}; enable that key, allow the run's role to use it, or name another ` +
  "one in the config key store.kmsKeyId";

const throttled: Explanation = ({ action, where }) =>
  `AWS throttles ${action} (${where}) even after several tries; wait a minute and run this again: it continues where it stopped`;

const unknownToken: Explanation = ({ where, region }) =>
  `AWS does not know the credentials (${where}): check AWS_PROFILE or AWS_ACCESS_KEY_ID with \`aws sts get-caller-identity --region ${region}\``;

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  CredentialsProviderError: ({ where }) =>
    `no AWS credentials found (${where}): set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
  TokenProviderError: expired,
  UnrecognizedClientException: unknownToken,
  InvalidClientTokenId: unknownToken,
  InvalidSignatureException: unknownToken,
  AccessDeniedException: denied,
  AccessDenied: denied,
  DecryptionFailure: noKey,
  EncryptionFailure: noKey,
  ThrottlingException: throttled,
  Throttling: throttled,
  TooManyRequestsException: throttled,
};

const DELETED = /marked (for deletion|deleted)|scheduled for deletion/i;

/** One message for a failed call to Secrets Manager: what was attempted, what AWS said, and what to do. */
function awsError(error: unknown, call: Call, args: string): StepError {
  const name = error instanceof Error ? error.name : "";
  const words = messageOf(error).trim();
  if (DELETED.test(words)) return new StepError(deletedMessage(call.where, args), { cause: error });
  // The SDK's words about it are for the SDK's developers.
  const status = error instanceof SyntaxError ? httpStatusOf(error) : undefined;
  if (status !== undefined)
    return new StepError(
      `${call.action} (${call.where}) was answered with HTTP ${status} and no JSON, so not by AWS: check store.endpoint and ` +
        "the proxies on the way there",
      { cause: error },
    );
  const explain = EXPLANATIONS[name];
  const isKey = name === "AccessDeniedException" && /\bkms\b/i.test(words);
  const text = isKey ? noKey(call, words) : explain?.(call, words);
  return new StepError(text ?? `AWS Secrets Manager fails at ${call.action} (${call.where}): ${name}: ${words}`, {
    cause: error,
  });
}

const httpStatusOf = (error: Error): number | undefined =>
  (error as { $response?: { statusCode?: number } }).$response?.statusCode;

/**
 * The same for a failure known only from a provider's text, such as `... api error ThrottlingException: Rate exceeded`.
 *
 * @returns undefined if the text names no refusal that is known here.
 */
export function explainAwsText(text: string, call: Call): string | undefined {
  for (const { 0: name, index } of text.matchAll(/\b[A-Z]\w+(?=: )/g)) {
    const explain = EXPLANATIONS[name];
    if (explain === undefined) continue;
    const [words = ""] = text.slice(index + name.length + 2).split("\n");
    return explain(call, words.trim());
  }
  return undefined;
}

/** A name stays blocked until its recovery window is over. @param args the secret, as the `aws` command takes it */
export function deletedMessage(where: string, args: string): string {
  return (
    `the secret ${where} is scheduled for deletion, and its name is blocked until that is done: take it back with ` +
    `\`aws secretsmanager restore-secret ${args}\``
  );
}
