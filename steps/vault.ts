import ky, { HTTPError, type KyInstance } from "ky";
import { messageOf, StepError } from "./run-step";
import type { PairMark, StoreClient, StoredValue, StoreEntry, StoreReference, VaultReference } from "./store";
import { NO_TOKEN, statusHint, vaultHeaders } from "./vault-access";

interface KvAnswer {
  readonly data: {
    readonly data: Record<string, unknown> | null;
    readonly metadata: { readonly version: number; readonly created_time: string };
  };
}

/** Milliseconds for what Vault itself has to ask a database for. */
const SLOW = 30_000;

/** Vault's HTTP API, with the token of the environment, as the `vault` command takes it. */
export class VaultClient implements StoreClient {
  private readonly http: KyInstance;
  private readonly address: string;

  constructor(private readonly store: VaultReference) {
    const address = store.address ?? process.env.VAULT_ADDR;
    if (address === undefined)
      throw new StepError("no address of Vault: set VAULT_ADDR or the config key store.address");
    this.address = address;
    this.http = ky.create({
      prefixUrl: new URL("v1/", address.endsWith("/") ? address : `${address}/`),
      headers: headers(),
      timeout: 10_000,
      retry: {
        limit: 3,
        methods: ["get", "post"],
        statusCodes: [412, 429, 500, 502, 504],
        backoffLimit: 2000,
        // What `Retry-After` says may be an hour: then it is for the operator to wait, and to know.
        maxRetryAfter: 2000,
      },
    });
  }

  /** An answer of the API. @param absent statuses that mean there is nothing: undefined. @throws StepError */
  get<T>(
    path: string,
    searchParams: Record<string, string> = {},
    absent: readonly number[] = [404],
  ): Promise<T | undefined> {
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
  put<T>(path: string, json: Record<string, unknown>, absent: readonly number[] = []): Promise<T | undefined> {
    return this.ask<T>(() => this.http.put(path, { json, timeout: SLOW }), absent);
  }

  /** The names below a path; none where there is nothing. @throws StepError */
  async list(path: string): Promise<readonly string[]> {
    const answer = await this.get<{ data: { keys: string[] } }>(path, { list: "true" });
    return answer?.data.keys ?? [];
  }

  /** A secret's latest version; undefined where there is none. */
  async read(path: string): Promise<StoredValue | undefined> {
    const { mount, environment } = this.store;
    const answer = await this.ask<KvAnswer>(() => this.http.get(`${mount}/data/${environment}/${path}`), [404]);
    const value = answer?.data.data?.value;
    if (answer === undefined || typeof value !== "string") return undefined;
    const { version, created_time } = answer.data.metadata;
    return { value, version: String(version), writtenAt: created_time };
  }

  /** Fails where Vault is sealed, unreachable or does not know the token, or the token may not write the paths. */
  async check(paths: readonly string[]): Promise<string> {
    const { mount, environment } = this.store;
    const full = paths.map((path) => `${mount}/data/${environment}/${path}`);
    return this.mayDo(Object.fromEntries(full.map((path) => [path, ["create", "read", "update"]])));
  }

  /**
   * The evidence. @param needs capabilities by path of the API
   * @throws StepError where Vault is sealed, or naming each path and what the token lacks there
   */
  async mayDo(needs: Readonly<Record<string, readonly string[]>>): Promise<string> {
    await this.assertUnsealed();
    const paths = Object.keys(needs);
    if (paths.length === 0) return this.address;
    const capabilities = await this.ask<Record<string, string[]>>(() =>
      this.http.post("sys/capabilities-self", { json: { paths } }),
    );
    const lacking = Object.entries(needs).flatMap(([path, needed]) => {
      const has = capabilities?.[path] ?? [];
      const missing = needed.filter((wanted) => !has.includes(wanted) && !has.includes("root"));
      return missing.length === 0 ? [] : [`${missing.join(", ")} ${path} (it has: ${has.join(", ")})`];
    });
    if (lacking.length > 0) {
      throw new StepError(`the token may not ${lacking.join("; ")}; give its policy these capabilities`);
    }
    return `${this.address}, ${paths.join(", ")}`;
  }

  /** A new version with this value. */
  async write({ path, value }: StoreEntry, pair?: PairMark): Promise<void> {
    const { mount, environment } = this.store;
    const data = { value, ...(pair === undefined ? {} : { generation: String(pair.generation) }) };
    await this.ask(() => this.http.post(`${mount}/data/${environment}/${path}`, { json: { data } }));
  }

  private async assertUnsealed(): Promise<void> {
    const health = await this.ask<{ sealed: boolean; initialized: boolean }>(() =>
      this.http.get("sys/health", { searchParams: { standbyok: "true", sealedcode: "200", uninitcode: "200" } }),
    );
    if (health?.initialized === false) throw new StepError(`Vault at ${this.address} is not initialised`);
    if (health?.sealed)
      throw new StepError(`Vault at ${this.address} is sealed; unseal it with \`vault operator unseal\``);
  }

  /** @returns undefined for a status in `absent`. @throws StepError with Vault's own words. */
  private async ask<T>(
    request: () => ReturnType<KyInstance["get"]>,
    absent: readonly number[] = [],
  ): Promise<T | undefined> {
    try {
      const answer = await request().text();
      return answer === "" ? undefined : (JSON.parse(answer) as T);
    } catch (error) {
      if (!(error instanceof HTTPError))
        throw new StepError(`Vault at ${this.address} does not answer: ${causeOf(error)}`);
      const { status } = error.response;
      if (absent.includes(status)) return undefined;
      throw new StepError(`Vault at ${this.address} answers ${status}: ${await wordsOf(error)}${statusHint(status)}`);
    }
  }
}

/** The client of a store that must be Vault. @throws StepError where it is another */
export function vaultClientOf(store: StoreReference): VaultClient {
  if (store.kind !== "vault") throw new StepError(`expected a store of the kind vault, found ${store.kind}`);
  return new VaultClient(store);
}

function headers(): Record<string, string> {
  const found = vaultHeaders();
  if (found === undefined) throw new StepError(NO_TOKEN);
  return found;
}

async function wordsOf({ response }: HTTPError): Promise<string> {
  try {
    const { errors } = (await response.json()) as { errors?: string[] };
    return errors?.join("; ").trim() || response.statusText;
  } catch {
    return response.statusText;
  }
}

const causeOf = (error: unknown) =>
  messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
