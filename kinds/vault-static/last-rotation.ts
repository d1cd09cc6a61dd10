import { NO_TOKEN, statusHint, vaultFetch, vaultHeaders } from "../../clients/vault-access";
import type { Config, VaultStaticConfig } from "../../config";
import { UnavailableError } from "../../core/unavailable";

/** Tries, the pause before the second of them in milliseconds (it doubles), and how long one may take. */
const ATTEMPTS = 4;
const PAUSE = 250;
const TIMEOUT = 10_000;

/**
 * Asks Vault when it rotated a password last that this stack has adopted.
 * @throws UnavailableError with one message: what was asked, what was found, what helps
 */
export async function seeVaultRotation(config: Pick<Config, "store">, secret: VaultStaticConfig): Promise<string> {
  const path = `${secret.vault.mount}/static-roles/${secret.staticRole}`;
  const rotation = await lastRotation(config, path, secret.name);
  if (rotation !== undefined) return rotation;
  throw new UnavailableError(
    `${secret.name}: Vault has no role at ${path} any more; services cannot read their login. Make it again with ` +
      "`pulumi up --refresh` once somebody knows why it is gone; nothing was changed.",
  );
}

async function lastRotation(
  { store }: Pick<Config, "store">,
  path: string,
  secret: string,
): Promise<string | undefined> {
  const address = (store.kind === "vault" ? store.address : undefined) ?? process.env.VAULT_ADDR;
  const headers = vaultHeaders();
  const fail = (why: string) =>
    new UnavailableError(`${secret}: cannot ask Vault when it rotated ${path} last: ${why}; nothing was changed.`);
  if (address === undefined) throw fail("no address of Vault: set VAULT_ADDR or the config key store.address");
  if (headers === undefined) throw fail(NO_TOKEN);
  const url = new URL(`v1/${path}`, address.endsWith("/") ? address : `${address}/`);
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(url, headers);
    if (typeof answer === "object" && answer.status === 200) return (await body(answer)).data?.last_vault_rotation;
    if (typeof answer === "object" && answer.status === 404) return undefined;
    const passing = typeof answer === "string" || [412, 429, 500, 502, 504].includes(answer.status);
    if (passing && attempt < ATTEMPTS) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** (attempt - 1)));
      continue;
    }
    if (typeof answer === "string") throw fail(`Vault at ${address} does not answer: ${answer}`);
    const { errors } = await body(answer);
    const words = errors?.join("; ").replaceAll(/\s+/g, " ").trim() || answer.statusText;
    throw fail(`Vault at ${address} answers ${answer.status}: ${words}${statusHint(answer.status)}`);
  }
}

/** The answer, or why there is none. */
async function ask(url: URL, headers: Record<string, string>): Promise<Response | string> {
  try {
    return await vaultFetch()(url, { headers, signal: AbortSignal.timeout(TIMEOUT) });
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error && cause.message !== "" ? cause.message : message;
  }
}

interface Answer {
  readonly data?: { readonly last_vault_rotation?: string };
  readonly errors?: readonly string[];
}

const body = (answer: Response): Promise<Answer> =>
  answer.json().then(
    (value) => value as Answer,
    () => ({}),
  );
