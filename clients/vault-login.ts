import { readFileSync } from "node:fs";
import { messageOf, StepError } from "../core/errors";
import type { VaultPlace } from "../stores/schemas";
import type { VaultAuth } from "../stores/vault/login/schema";
import { publicHttp } from "./http";
import { Vault } from "./vault";

interface LoginAnswer {
  readonly auth: { readonly client_token: string };
}

/** Logs in by the config's method. @param secretId for AppRole. @returns the token. @throws StepError that says what to check */
export async function logInToVault(place: VaultPlace, auth: VaultAuth, secretId = ""): Promise<string> {
  const { method, mount, namespace = place.namespace } = auth;
  const body = await credentialsOf(auth, secretId);
  try {
    const vault = new Vault({ ...place, namespace, session: undefined }, () => Promise.resolve(undefined));
    const answer = await vault.ask<LoginAnswer>("post", `auth/${mount}/login`, { json: body, retry: { limit: 0 } });
    if (answer?.auth?.client_token === undefined) throw new StepError("it gives no token");
    return answer.auth.client_token;
  } catch (error) {
    const where = `auth/${mount}${namespace === undefined ? "" : ` in the namespace ${namespace}`}`;
    throw new StepError(
      `the login to Vault by ${method} at ${where} fails: ${messageOf(error)}. Check ${CHECK[method]}`,
    );
  }
}

const CHECK = {
  approle:
    "store.auth.roleId, and the secret id, which may have ended or been used up (`pulumi config set --secret vaultSecretId`)",
  jwt: "store.auth.role, and what the role expects of the token: audience, subject and claims",
  kubernetes: "store.auth.role, and the service account and namespace that the role is bound to",
} as const;

async function credentialsOf(auth: VaultAuth, secretId: string): Promise<Record<string, string>> {
  switch (auth.method) {
    case "approle":
      return { role_id: auth.roleId, secret_id: secretId };
    case "jwt":
      return { role: auth.role, jwt: await tokenOf(auth) };
    case "kubernetes":
      return { role: auth.role, jwt: fromFile(auth.tokenFile) };
  }
}

async function tokenOf({ tokenVariable, tokenFile, audience }: VaultAuth & { method: "jwt" }): Promise<string> {
  if (tokenFile !== undefined) return fromFile(tokenFile);
  if (tokenVariable === undefined) return githubToken(audience);
  const found = process.env[tokenVariable];
  if (found) return found;
  throw new StepError(
    `no token to log in to Vault with: expected it in ${tokenVariable}, as store.auth.tokenVariable says`,
  );
}

function fromFile(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new StepError(`no token to log in to Vault with: store.auth.tokenFile: ${messageOf(error)}`);
  }
}

/** GitHub Actions gives a job a token for an audience of its choice. */
async function githubToken(audience: string | undefined): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: own } = process.env;
  if (!address || !own) {
    throw new StepError(
      "no token to log in to Vault with: expected GitHub Actions (ACTIONS_ID_TOKEN_REQUEST_URL; the job needs " +
        "`permissions: { id-token: write }`), or set store.auth.tokenVariable or tokenFile",
    );
  }
  const url = new URL(address);
  if (audience !== undefined) url.searchParams.set("audience", audience);
  const headers = { Authorization: `Bearer ${own}`, Accept: "application/json" };
  const http = await publicHttp();
  const asked = { headers, timeout: { request: 10_000 }, throwHttpErrors: false };
  const answer = await http(url, asked).catch((error: unknown) => {
    throw new StepError(`GitHub Actions gives no token: ${messageOf(error)}`);
  });
  if (!answer.ok) throw new StepError(`GitHub Actions gives no token: it answers ${answer.statusCode}`);
  return (JSON.parse(answer.body) as { value: string }).value;
}
