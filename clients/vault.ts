import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HTTPError, KyInstance, Options } from "ky";
import { PassingError, reasonOf, StepError } from "../core/errors";
import { lackingCapabilities, type Needs } from "../core/vault-needs";
import { homeOf } from "./home";
import { fetchWith, vaultTrust } from "./trust";

/** Statuses that mean there is nothing, or a function that also sees Vault's message. */
export type Absent = readonly number[] | ((status: number, words: string) => boolean);

/** Names the namespace; a few paths of the API (`sys/health`) exist outside of every namespace and refuse it. */
export const NAMESPACE_HEADER = "X-Vault-Namespace";

/** Temporary statuses: a standby that lags, a limit on requests, a change of leader. */
const PASSING = [412, 429, 500, 502, 504];

/** Milliseconds for requests for which Vault itself has to query a database. */
const SLOW = 30_000;

/** Vault's HTTP API, with address, token, namespace and authorities of the environment, as the `vault` command takes them. */
export class Vault {
  readonly address: string;
  private readonly headers: Record<string, string>;
  private connected: Promise<KyInstance> | undefined;

  /** @param given the address; default: the environment's VAULT_ADDR. @throws StepError without an address or a token */
  constructor(given: string | undefined) {
    const address = given ?? process.env.VAULT_ADDR;
    if (address === undefined)
      throw new StepError("no address of Vault: set VAULT_ADDR or the config key store.address");
    const headers = vaultHeaders();
    if (headers === undefined) throw new StepError("no token for Vault: set VAULT_TOKEN, or log in with `vault login`");
    this.address = address;
    this.headers = headers;
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
    await this.ask("post", path, { json, retry: 0, timeout: SLOW });
  }

  /** Sends a request that may be repeated. @param absent statuses that mean there is nothing. @throws StepError */
  put<T>(path: string, json: Record<string, unknown>, absent: Absent = []): Promise<T | undefined> {
    return this.ask<T>("put", path, { json, timeout: SLOW }, absent);
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
  async ask<T>(method: string, path: string, options: Options, absent: Absent = []): Promise<T | undefined> {
    const { text, ok } = await this.askText(method, path, options, absent);
    return ok && text !== "" ? (JSON.parse(text) as T) : undefined;
  }

  // Loaded at first use: it loads all of `fetch`, which a preview without a request to Vault does not need.
  private async connect(): Promise<KyInstance> {
    const { default: ky } = await import("ky");
    return ky.create({
      fetch: fetchWith(vaultTrust),
      prefixUrl: new URL("v1/", this.address.endsWith("/") ? this.address : `${this.address}/`),
      headers: this.headers,
      timeout: 10_000,
      retry: {
        limit: 3,
        retryOnTimeout: true,
        methods: ["get", "post", "patch"],
        statusCodes: [...PASSING],
        backoffLimit: 2000,
        // `Retry-After` may say an hour: then the operator must know, and wait.
        maxRetryAfter: 2000,
      },
    });
  }

  /** The answer's text as it came; not `ok` for what `absent` says. @throws StepError with Vault's own message. */
  async askText(
    method: string,
    path: string,
    options: Options,
    absent: Absent,
  ): Promise<{ readonly ok: boolean; readonly text: string }> {
    this.connected ??= this.connect();
    const http = await this.connected;
    try {
      return { ok: true, text: await http(path, { method, ...options }).text() };
    } catch (error) {
      if (!isHttpError(error)) throw new PassingError(`Vault at ${this.address} does not answer: ${reasonOf(error)}`);
      const { status, statusText } = error.response;
      const text = await error.response.text().catch(() => "");
      const words = wordsOf(text) || statusText;
      if (typeof absent === "function" ? absent(status, words) : absent.includes(status)) return { ok: false, text };
      const message = `Vault at ${this.address} answers ${status}: ${words}${statusHint(status)}`;
      throw PASSING.includes(status) ? new PassingError(message) : new StepError(message);
    }
  }
}

/** The headers that every request to Vault carries; undefined without a token. */
export function vaultHeaders(): Record<string, string> | undefined {
  const token = process.env.VAULT_TOKEN || tokenFile();
  if (token === undefined) return undefined;
  const namespace = process.env.VAULT_NAMESPACE;
  return {
    "X-Vault-Token": token,
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
function statusHint(status: number): string {
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
