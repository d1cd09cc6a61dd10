import { readFileSync } from "node:fs";
import { join } from "node:path";
import { homeOf } from "../config/home";
import { pulumiHome } from "./home";

/** Variables whose value is a credential, for every tool that a run uses or is started by. */
const CREDENTIALS = [
  ...["VAULT_TOKEN", "BAO_TOKEN"],
  ...["PGPASSWORD"],
  ...["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"],
  ...["PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN"],
  ...["AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "ARM_CLIENT_SECRET"],
  ...["GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN"],
  ...["GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "GITHUB_WEBHOOK_SECRET"],
  ...["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN"],
  ...["APCA_API_KEY_ID", "APCA_API_SECRET_KEY"],
];

/** Variables with an address, which may contain a password. */
const ADDRESSES = [
  ...["PULUMI_BACKEND_URL", "DATABASE_URL", "REDIS_URL", "VAULT_ADDR", "BAO_ADDR"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"],
];

/** What `redis-cli` takes a password from, and variables of that name with an ending: one for each of several servers. */
const CREDENTIAL_PREFIX = "REDISCLI_AUTH";

/** The password in such a variable, else in the file that the variable with the ending `_FILE` names; undefined if there is none. */
export function prefixedSecret(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env[name] || textOf(env[`${name}_FILE`])[0] || undefined;
}

/** A token of a CI system, in whatever variable (`store.auth.tokenVariable`): a JWT. */
const isSignedToken = (value: string | undefined): value is string =>
  value !== undefined && /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(value);

/** Shorter values are not redacted: a passphrase of three letters is a word like any other. */
const SHORTEST = 4;

/**
 * Every credential that a run finds in its environment, for `redact`: in variables, and in the files where PostgreSQL's,
 * Vault's, AWS's and Pulumi's own programs look for one.
 */
export function environmentSecrets(env: NodeJS.ProcessEnv): string[] {
  const home = homeOf(env);
  const found = [
    ...CREDENTIALS.flatMap((name) => env[name] ?? []),
    ...Object.keys(env)
      .filter((name) => name.startsWith(CREDENTIAL_PREFIX))
      .flatMap((name) => prefixedSecret(name.replace(/_FILE$/, ""), env) ?? []),
    ...ADDRESSES.flatMap((name) => passwordIn(env[name])),
    ...Object.values(env).filter(isSignedToken),
    ...textOf(env.PULUMI_CONFIG_PASSPHRASE_FILE),
    ...textOf(env.AWS_WEB_IDENTITY_TOKEN_FILE),
    ...(home === undefined ? [] : textOf(join(home, ".vault-token"))),
    ...textOf(env.PGPASSFILE || (home && join(home, ".pgpass"))).flatMap(passwordsOfPgpass),
    ...textOf(env.AWS_SHARED_CREDENTIALS_FILE || (home && join(home, ".aws", "credentials"))).flatMap(secretsOfAws),
    ...textOf(join(env.PULUMI_CREDENTIALS_PATH || pulumiHome(env), "credentials.json")).flatMap(tokensOfPulumi),
  ];
  return [...new Set(found)].filter(({ length }) => length >= SHORTEST);
}

/** Names of variables that hold a credential, of whatever tool. */
const CREDENTIAL_NAME = /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE_KEY|API_?KEY|ACCESS_KEY/i;

/** The environment for a command of the user's: without every variable that holds one of the run's credentials. */
export function environmentWithoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const secrets = environmentSecrets(env);
  const isOpen = ([name, value = ""]: [string, string | undefined]) =>
    !CREDENTIALS.includes(name) &&
    !name.startsWith(CREDENTIAL_PREFIX) &&
    !CREDENTIAL_NAME.test(name) &&
    // What the engine hands to its commands.
    !name.startsWith("PULUMI_") &&
    !secrets.some((secret) => value.includes(secret));
  return Object.fromEntries(Object.entries(env).filter(isOpen));
}

/** Which of the variables that the config names are not set, in words; undefined if all are. */
export function unsetVariables(names: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const unset = names.filter((name) => !env[name]);
  if (unset.length === 0) return undefined;
  return `expected the environment to have ${unset.join(", ")} (config key \`variables\`), found nothing there`;
}

function textOf(file: string | undefined): string[] {
  if (!file) return [];
  try {
    return [readFileSync(file, "utf8").trim()];
  } catch {
    return [];
  }
}

/** A URL's password, as written and decoded. */
function passwordIn(address: string | undefined): string[] {
  const [, written] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]*?:([^/?#]*)@/i.exec(address ?? "") ?? [];
  if (written === undefined) return [];
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    return [written];
  }
}

/** The fifth field of each line; `\:` and `\\` are escapes. */
const passwordsOfPgpass = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .flatMap((line) => /^(?:(?:\\.|[^:\\])*:){4}((?:\\.|[^:\\])*)/.exec(line)?.[1] ?? [])
    .map((written) => written.replace(/\\(.)/g, "$1").trim());

const secretsOfAws = (text: string): string[] =>
  [...text.matchAll(/^\s*aws_(?:secret_access_key|session_token)\s*=\s*(\S+)/gm)].flatMap(([, value]) => value ?? []);

function tokensOfPulumi(text: string): string[] {
  try {
    const { accessTokens = {} } = JSON.parse(text) as { accessTokens?: Record<string, string> };
    return Object.values(accessTokens).filter((token) => typeof token === "string");
  } catch {
    return [];
  }
}
