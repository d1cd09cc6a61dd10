import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Got, HTTPError, Method, OptionsOfTextResponseBody as Options } from "got";
import { homeOf } from "../config/home";
import { PassingError, StepError } from "../core/errors";
import { lackingCapabilities, type Needs } from "../core/vault-needs";
import type { VaultPlace } from "../stores/schemas";
import { failureWords, httpWith } from "./http";
import { doubling } from "./poll";
import { vaultTrust } from "./trust";
import { mayHaveOwnSession, ownSession, sessionToken } from "./vault-session";

/** Statuses that mean there is nothing, or a function that also sees Vault's message. */
export type Absent = readonly number[] | ((status: number, words: string) => boolean);

/** Names the namespace; a few paths of the API (`sys/health`) exist outside of every namespace and refuse it. */
export const NAMESPACE_HEADER = "X-Vault-Namespace";

/** Temporary statuses: a standby that lags, a limit on requests, a change of leader. */
const PASSING = [412, 429, 500, 502, 504];

/** Milliseconds for requests for which Vault itself has to query a database. */
const SLOW = 30_000;

/**
 * Vault's HTTP API. What the place does not say comes from the environment, as the `vault` command takes it: address, token,
 * namespace and authorities.
 */
export class Vault {
  readonly address: string;
  private connected: Promise<Got> | undefined;

  /**
   * @param login the token; undefined: none is sent. Default: the run's own, else the environment's.
   * @throws StepError without an address or a token
   */
  constructor(
    private readonly place: VaultPlace,
    private readonly login?: () => Promise<string | undefined>,
  ) {
    const address = place.address ?? process.env.VAULT_ADDR;
    if (address === undefined)
      throw new StepError("no address of Vault: set VAULT_ADDR or the config key store.address");
    if (login === undefined && place.session === undefined && !mayHaveOwnSession() && ownToken() === undefined)
      throw new StepError(NO_TOKEN);
    this.address = address;
  }

  /** An answer of the API. @param absent statuses that mean there is nothing: undefined. @throws StepError */
  get<T>(path: string, searchParams: Record<string, string> = {}, absent: Absent = [404]): Promise<T | undefined> {
    return this.ask<T>("get", path, { searchParams }, absent);
  }

  /**
   * Sends a request once: one that changes something is not repeated automatically.
   * @throws StepError
   */
  async post(path: string, json: Record<string, unknown>): Promise<void> {
    await this.ask("post", path, { json, retry: { limit: 0 }, timeout: { request: SLOW } });
  }

  /** Sends a request that may be repeated. @param absent statuses that mean there is nothing. @throws StepError */
  put<T>(path: string, json: Record<string, unknown>, absent: Absent = []): Promise<T | undefined> {
    return this.ask<T>("put", path, { json, timeout: { request: SLOW } }, absent);
  }

  /** The names below a path; none if there is nothing. @throws StepError */
  async list(path: string): Promise<readonly string[]> {
    const answer = await this.get<{ data: { keys: string[] } }>(path, { list: "true" });
    return answer?.data.keys ?? [];
  }

  /**
   * The evidence. @param needs capabilities by path of the API; in a list, any one is enough
   * @throws StepError naming each path and what the token lacks there
   */
  async mayDo(needs: Needs): Promise<string> {
    const lacking = await this.lacking(needs);
    if (lacking !== undefined) throw new StepError(lacking);
    return [this.address, ...Object.keys(needs)].join(", ");
  }

  /** What the token lacks, in words; undefined if it lacks nothing. @throws StepError for a token that Vault does not know */
  async lacking(needs: Needs): Promise<string | undefined> {
    const paths = Object.keys(needs);
    if (paths.length === 0) return undefined;
    const has = await this.ask<Record<string, string[]>>("post", "sys/capabilities-self", { json: { paths } });
    return lackingCapabilities(needs, has ?? {});
  }

  /** @returns undefined for what `absent` says, and if the answer is empty. @throws StepError with Vault's own message. */
  async ask<T>(method: Method, path: string, options: Options, absent: Absent = []): Promise<T | undefined> {
    const { text, ok } = await this.askText(method, path, options, absent);
    return ok && text !== "" ? (JSON.parse(text) as T) : undefined;
  }

  /** The hint of a login is its caller's. */
  private hint(status: number): string {
    return this.login !== undefined && status < 429 ? "" : statusHint(status, this.place);
  }

  private async connect(): Promise<Got> {
    const trust = vaultTrust(this.place.caCert === undefined ? process.env : withCaCert(this.place.caCert));
    const [http, token] = await Promise.all([httpWith(trust), this.token()]);
    return http.extend({
      prefixUrl: new URL("v1/", this.address.endsWith("/") ? this.address : `${this.address}/`),
      headers: vaultHeaders(token, this.place.namespace),
      timeout: { request: 10_000 },
      retry: {
        limit: 3,
        methods: ["GET", "POST", "PATCH"],
        statusCodes: [...PASSING],
        // `Retry-After` may say an hour: then the operator must know, and wait.
        maxRetryAfter: 2000,
        calculateDelay: ({ computedValue, attemptCount, retryAfter }) =>
          computedValue === 0 ? 0 : (retryAfter ?? doubling(300, 2000, attemptCount)),
      },
    });
  }

  private async token(): Promise<string | undefined> {
    if (this.login !== undefined) return this.login();
    const { session } = this.place;
    if (session !== undefined) return process.env.VAULT_TOKEN || sessionToken(session);
    const token = process.env.VAULT_TOKEN || (await ownSession()) || tokenFile();
    if (token === undefined) throw new StepError(NO_TOKEN);
    return token;
  }

  /** The answer's text as it came; not `ok` for what `absent` says. @throws StepError with Vault's own message. */
  async askText(
    method: Method,
    path: string,
    options: Options,
    absent: Absent,
  ): Promise<{ readonly ok: boolean; readonly text: string }> {
    this.connected ??= this.connect();
    const http = await this.connected;
    try {
      return { ok: true, text: await http(path, { method, ...options }).text() };
    } catch (error) {
      if (!isHttpError(error))
        throw new PassingError(`Vault at ${this.address} does not answer: ${failureWords(error)}`);
      const { statusCode: status, statusMessage = "", body } = error.response;
      const text = String(body);
      const words = wordsOf(text) || statusMessage;
      if (typeof absent === "function" ? absent(status, words) : absent.includes(status)) return { ok: false, text };
      const message = `Vault at ${this.address} answers ${status}: ${words}${this.hint(status)}`;
      throw PASSING.includes(status) ? new PassingError(message) : new StepError(message);
    }
  }
}

const NO_TOKEN = "no token for Vault: set VAULT_TOKEN, log in with `vault login`, or set the config key store.auth";

/** The environment's token. */
export const ownToken = (): string | undefined => process.env.VAULT_TOKEN || tokenFile();

/** Instead of all other authorities of the environment. */
const withCaCert = (file: string): NodeJS.ProcessEnv => ({
  ...process.env,
  VAULT_CACERT_BYTES: undefined,
  VAULT_CACERT: file,
});

/** The headers that every request to Vault carries. */
function vaultHeaders(
  token: string | undefined,
  namespace: string | undefined = process.env.VAULT_NAMESPACE,
): Record<string, string> {
  return {
    ...(token === undefined ? {} : { "X-Vault-Token": token }),
    "X-Vault-Request": "true",
    ...(namespace ? { [NAMESPACE_HEADER]: namespace } : {}),
  };
}

function tokenFile(): string | undefined {
  const home = homeOf(process.env);
  try {
    return home && (readFileSync(join(home, ".vault-token"), "utf8").trim() || undefined);
  } catch {
    return undefined;
  }
}

/** What to check if Vault answers with this status. */
function statusHint(status: number, { session }: VaultPlace): string {
  if (status === 403 && session !== undefined)
    return " (is this allowed to the role of store.auth? If VAULT_TOKEN is set, it takes precedence: `vault token lookup`)";
  if (status === 403) return " (is VAULT_TOKEN valid and allowed? `vault token lookup`)";
  if (status === 429)
    return "; it limits this run's requests (`vault list sys/quotas/rate-limit`): wait and run this again";
  if (status === 503) return " (sealed or not active: `vault status`)";
  return status >= 500 ? "; check `vault status`, and run this again once it answers" : "";
}

const isHttpError = (error: unknown): error is HTTPError => error instanceof Error && error.name === "HTTPError";

/** Vault's own message in one line. */
function wordsOf(text: string): string {
  try {
    return (JSON.parse(text) as { errors?: string[] }).errors?.join("; ").replaceAll(/\s+/g, " ").trim() ?? "";
  } catch {
    return "";
  }
}
