import { pause } from "../poll";
import { awsReader } from "./aws-store";
import { vaultLeases } from "./leases";
import type { SecretReader, StoredValue } from "./secret-reader";
import type { StoreConfig, VaultStoreConfig } from "./types";

/** Versions to read instead of the newest, by path. */
type Versions = Readonly<Record<string, number>>;

/** The reader of the store that the config names. @param versions of Vault alone */
export const storeReader = (store: StoreConfig, versions?: Versions): SecretReader =>
  store.kind === "aws" ? awsReader(store) : vaultReader(store, versions);

/** Reads KV v2 over Vault's HTTP API, field `value`. */
export function vaultReader(store: VaultStoreConfig, versions: Versions = {}): SecretReader {
  const document = async (path: string) => {
    const version = versions[path] === undefined ? "" : `?version=${versions[path]}`;
    const answer = await fetch(`${store.address}/v1/${store.mount}/data/${path}${version}`, {
      headers: { "X-Vault-Token": store.token },
      signal: AbortSignal.timeout(3000),
    });
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`the secret store answered HTTP ${answer.status} for ${store.mount}/${path}`);
    const { data } = (await answer.json()) as { data: KvVersion };
    return { data: data.data, version: data.metadata.version };
  };
  return {
    backend: "vault",
    leases: vaultLeases(store),
    document,
    async read(path) {
      const read = await document(path);
      if (read === undefined) return undefined;
      const { value, generation } = read.data;
      if (typeof value !== "string") throw new Error(`expected a field "value" at ${store.mount}/${path}, found none`);
      const found = { value, version: read.version };
      return generation === undefined ? found : { ...found, generation: String(generation) };
    },
    async staticLogin(path) {
      const answer = await fetch(`${store.address}/v1/${path}`, {
        headers: { "X-Vault-Token": store.token },
        signal: AbortSignal.timeout(3000),
      });
      // No such role (400), no such mount (404), or no policy for it yet (403).
      if ([400, 403, 404].includes(answer.status)) return undefined;
      if (!answer.ok) throw new Error(`the secret store answered HTTP ${answer.status} for ${path}`);
      const { data } = (await answer.json()) as { data: Record<string, unknown> };
      return {
        user: String(data.username),
        password: String(data.password),
        version: String(data.last_vault_rotation),
      };
    },
  };
}

interface KvVersion {
  data: Record<string, unknown>;
  metadata: { version: number };
}

/**
 * Reads two values that belong together, while they may be written one after the other. With generations on both,
 * they must be equal, else it throws after `limitMs`. With a generation on one alone, the other is awaited as long, and
 * then taken as written by hand. Values without generations may not change while they are read.
 */
export async function readPair(
  reader: SecretReader,
  paths: readonly [string, string],
  limitMs = 5000,
): Promise<[StoredValue, StoredValue]> {
  const end = performance.now() + limitMs;
  for (;;) {
    const [first, second] = [await required(reader, paths[0]), await required(reader, paths[1])];
    const late = performance.now() > end;
    const generations = [first.generation, second.generation].filter((generation) => generation !== undefined);
    if (generations.length === 2 && generations[0] === generations[1]) return [first, second];
    const byHand = generations.length === 0 || (generations.length === 1 && late);
    if (byHand && (await unchanged(reader, paths, [first, second]))) return [first, second];
    if (late) {
      throw new Error(`${paths[0]} and ${paths[1]} did not belong together for ${limitMs} ms; write both again`);
    }
    await pause(25);
  }
}

async function unchanged(
  reader: SecretReader,
  paths: readonly [string, string],
  read: readonly [StoredValue, StoredValue],
): Promise<boolean> {
  const again = [await required(reader, paths[0]), await required(reader, paths[1])];
  return again[0]?.version === read[0].version && again[1]?.version === read[1].version;
}

/** The value, or an error that names the path. */
export async function required(reader: SecretReader, path: string): Promise<StoredValue> {
  const found = await reader.read(path);
  if (!found) throw new Error(`expected a secret at ${path}, found nothing`);
  return found;
}
