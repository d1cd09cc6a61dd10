import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { awsCredentials, awsTransport } from "../../../clients/aws-login";
import { parseDuration } from "../../../core/duration";
import { type AwsLogin, loginOf } from "../../../stores/aws/login/schema";
import { number, text } from "./coerce";
import { isObject, type Json, type Properties } from "./values";

/** Secrets Manager in one region of one account. */
export interface AwsClient {
  region: string;
  /** Tags that every resource gets. */
  defaultTags: Record<string, string>;
  /** Runs calls, and says what was attempted when one fails. */
  attempt<T>(doing: string, call: (api: SecretsManager) => Promise<T>): Promise<T>;
  /** The same for a lookup: undefined when there is no such thing. */
  find<T>(doing: string, call: (api: SecretsManager) => Promise<T>): Promise<T | undefined>;
}

/** The client of the provider's config, completed by the usual AWS variables and files. Connects at first use. */
export function awsClient(config: Properties, environment: NodeJS.ProcessEnv): AwsClient {
  const region = text(config.region) ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? "";
  let api: Promise<SecretsManager> | undefined;
  const run = async <T>(doing: string, call: (api: SecretsManager) => Promise<T>): Promise<T> => {
    if (region === "") throw new Error(`${doing}: Missing region: set aws:region or AWS_REGION`);
    api ??= connect(config, region);
    return call(await api);
  };
  return {
    region,
    defaultTags: tagsOf(parsed(config.defaultTags)),
    attempt: (doing, call) => run(doing, call).catch((error: unknown) => fail(doing, error)),
    find: <T>(doing: string, call: (api: SecretsManager) => Promise<T>) =>
      run<T | undefined>(doing, call).catch((error: unknown) =>
        nameOf(error) === "ResourceNotFoundException" ? undefined : fail(doing, error),
      ),
  };
}

async function connect(config: Properties, region: string): Promise<SecretsManager> {
  // What a plugin writes to stderr is shown to the user as if it were about the update.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { default: sdk } = await import("@aws-sdk/client-secrets-manager");
  const endpoints = parsed(config.endpoints);
  const endpoint = Array.isArray(endpoints) ? endpoints.filter(isObject).map(endpointOf).find(Boolean) : undefined;
  const [accessKeyId, secretAccessKey] = [text(config.accessKey), text(config.secretKey)];
  const sessionToken = text(config.token);
  const login = loginFrom(config, endpoints);
  const given = await awsCredentials(region, login);
  return new sdk.SecretsManager({
    region,
    ...awsTransport(login.caBundle),
    maxAttempts: number(config.maxRetries) ?? 3,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(given === undefined ? {} : { credentials: given }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
  });
}

/** What the provider says of the login. */
function loginFrom(config: Properties, endpoints: Json | undefined): AwsLogin {
  const [role] = [parsed(config.assumeRoles)].flat().filter(isObject);
  const web = parsed(config.assumeRoleWithWebIdentity);
  const sts = Array.isArray(endpoints)
    ? endpoints
        .filter(isObject)
        .map((one) => text(one.sts))
        .find(Boolean)
    : undefined;
  return loginOf({
    profile: text(config.profile),
    stsEndpoint: sts,
    caBundle: text(config.customCaBundle),
    assumeRole: role && {
      roleArn: text(role.roleArn) ?? "",
      externalId: text(role.externalId),
      sessionName: text(role.sessionName) ?? "",
      duration: parseDuration(text(role.duration) ?? "1h"),
    },
    webIdentity: isObject(web)
      ? {
          roleArn: text(web.roleArn) ?? "",
          sessionName: text(web.sessionName) ?? "",
          tokenFile: text(web.webIdentityTokenFile) ?? "",
        }
      : undefined,
  });
}

function endpointOf(endpoint: Properties): string | undefined {
  return text(endpoint.secretsmanager);
}

/** A config value that is not a string travels as JSON. */
function parsed(value: Json | undefined): Json | undefined {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return undefined;
  }
}

function tagsOf(defaultTags: Json | undefined): Record<string, string> {
  const tags = isObject(defaultTags) && isObject(defaultTags.tags) ? defaultTags.tags : {};
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** AWS's own messages name the resource, never its value. */
function fail(doing: string, error: unknown): never {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  throw new Error(`1 error occurred:\n\t* ${doing}: ${reason}\n\n`);
}
