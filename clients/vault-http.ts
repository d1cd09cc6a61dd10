import ky, { HTTPError, type KyInstance } from "ky";
import { messageOf, PassingError, StepError } from "../core/errors";
import { NO_TOKEN, statusHint, vaultFetch, vaultHeaders } from "./vault-access";

/** Statuses that mean there is nothing; or a judgement that sees Vault's words too. */
export type Absent = readonly number[] | ((status: number, words: string) => boolean);

/** Statuses that pass by themselves: a standby that lags, a limit on requests, a leader that changes. */
const PASSING = [412, 429, 500, 502, 504];

/** Milliseconds for what Vault itself has to ask a database for. */
export const SLOW = 30_000;

/** Vault's HTTP API, with address, token, namespace and authorities of the environment, as the `vault` command takes them. */
export class VaultHttp {
  protected readonly http: KyInstance;
  protected readonly address: string;

  constructor(given: string | undefined) {
    const address = given ?? process.env.VAULT_ADDR;
    if (address === undefined)
      throw new StepError("no address of Vault: set VAULT_ADDR or the config key store.address");
    this.address = address;
    this.http = ky.create({
      fetch: vaultFetch(),
      prefixUrl: new URL("v1/", address.endsWith("/") ? address : `${address}/`),
      headers: headers(),
      timeout: 10_000,
      retry: {
        limit: 3,
        methods: ["get", "post", "patch"],
        statusCodes: [...PASSING],
        backoffLimit: 2000,
        // What `Retry-After` says may be an hour: then it is for the operator to wait, and to know.
        maxRetryAfter: 2000,
      },
    });
  }

  /** An answer of the API. @param absent statuses that mean there is nothing: undefined. @throws StepError */
  get<T>(path: string, searchParams: Record<string, string> = {}, absent: Absent = [404]): Promise<T | undefined> {
    return this.ask<T>(() => this.http.get(path, { searchParams }), absent);
  }

  /**
   * Asks once: a request that does something is not sent a second time by itself.
   * @throws StepError
   */
  async post(path: string, json: Record<string, unknown>): Promise<void> {
    await this.ask(() => this.http.post(path, { json, retry: 0, timeout: SLOW }));
  }

  /** Sends something that may be sent twice. @param absent statuses that mean there is nothing. @throws StepError */
  put<T>(path: string, json: Record<string, unknown>, absent: Absent = []): Promise<T | undefined> {
    return this.ask<T>(() => this.http.put(path, { json, timeout: SLOW }), absent);
  }

  /** The names below a path; none where there is nothing. @throws StepError */
  async list(path: string): Promise<readonly string[]> {
    const answer = await this.get<{ data: { keys: string[] } }>(path, { list: "true" });
    return answer?.data.keys ?? [];
  }

  /** @returns undefined for what `absent` says, and where the answer is empty. @throws StepError with Vault's own words. */
  protected async ask<T>(request: () => Promise<Response>, absent: Absent = []): Promise<T | undefined> {
    const { text, ok } = await this.askText(request, absent);
    return ok && text !== "" ? (JSON.parse(text) as T) : undefined;
  }

  /** The answer's text as it came; not `ok` for what `absent` says. @throws StepError with Vault's own words. */
  protected async askText(
    request: () => Promise<Response>,
    absent: Absent,
  ): Promise<{ readonly ok: boolean; readonly text: string }> {
    try {
      return { ok: true, text: await (await request()).text() };
    } catch (error) {
      if (!(error instanceof HTTPError))
        throw new PassingError(`Vault at ${this.address} does not answer: ${causeOf(error)}`);
      const { status, statusText } = error.response;
      const text = await error.response.text().catch(() => "");
      const words = wordsOf(text) || statusText;
      if (typeof absent === "function" ? absent(status, words) : absent.includes(status)) return { ok: false, text };
      const message = `Vault at ${this.address} answers ${status}: ${words}${statusHint(status)}`;
      throw PASSING.includes(status) ? new PassingError(message) : new StepError(message);
    }
  }
}

function headers(): Record<string, string> {
  const found = vaultHeaders();
  if (found === undefined) throw new StepError(NO_TOKEN);
  return found;
}

function wordsOf(text: string): string {
  try {
    return (JSON.parse(text) as { errors?: string[] }).errors?.join("; ").trim() ?? "";
  } catch {
    return "";
  }
}

const causeOf = (error: unknown) =>
  messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
