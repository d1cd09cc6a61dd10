import { NAMESPACE_HEADER, Vault } from "../../clients/vault";
import { StepError } from "../../core/errors";
import { jsonMembers } from "../../core/json-members";
import { quoted } from "../../core/shell-word";
import { changedMarks } from "../../core/store-content";
import { refusedMount, refusedToken, type TokenFacts } from "../../core/vault-needs";
import { holdsEntry, isDocument, written } from "../entries";
import type { NewVersion, PairMark, StoreClient, StoredValue, StoreEntry } from "../store";
import { mergedVaultData, VALUE_KEY, vaultContent } from "./content";
import type { VaultReference } from "./schema";

/** What KV v2 says of one version. */
interface KvVersion {
  readonly version: number;
  readonly created_time: string;
  readonly deletion_time?: string;
  readonly destroyed?: boolean;
}

interface KvMetadata {
  readonly data: { readonly custom_metadata: Readonly<Record<string, string>> | null };
}

const JSON_BODY = { "Content-Type": "application/json" };
const MERGE_PATCH = { "Content-Type": "application/merge-patch+json" };

/** The KV v2 of Vault (or OpenBao) as a store: `<mount>/<environment>/<path>`, key `value` or keys of the config's choice. */
export class VaultKv implements StoreClient {
  private readonly vault: Vault;

  /** @param token of another identity. Default: the run's own. */
  constructor(
    private readonly store: VaultReference,
    token?: () => Promise<string>,
  ) {
    this.vault = new Vault(store, token);
  }

  async read(path: string): Promise<StoredValue | undefined> {
    // A deleted version answers 404 too, with its metadata.
    const { text } = await this.vault.askText("get", this.pathOf("data", path), {}, [404]);
    const data = member(text, "data");
    const versionText = member(data, "metadata");
    if (versionText === undefined) return undefined;
    const metadata = JSON.parse(versionText) as KvVersion;
    const document = member(data, "data") ?? "null";
    const gone = this.goneWords(path, metadata);
    const content = gone === undefined ? vaultContent(document) : ({ kind: "empty", why: gone } as const);
    const value = content.kind === "value" ? content.value : undefined;
    const about = { version: String(metadata.version), writtenAt: metadata.created_time };
    return { value, content, ...about, ...(document === "null" ? {} : { document }) };
  }

  holds(found: StoredValue | undefined, entry: StoreEntry, pair: PairMark | undefined): boolean {
    if (!holdsEntry(found, entry)) return false;
    if (pair === undefined) return true;
    return found?.content.kind === "value" && found.content.generation === String(pair.generation);
  }

  /** Check-and-set, whether the mount or the secret requires it or not. */
  async writeAt(
    found: StoredValue | undefined,
    entry: StoreEntry,
    pair: PairMark | undefined,
  ): Promise<NewVersion | undefined> {
    const { path } = entry;
    const data = isDocument(entry)
      ? written(found, entry)
      : mergedVaultData(found?.document, entry.value, pair?.generation);
    const body = `{"options":{"cas":${found?.version ?? 0}},"data":${data}}`;
    // A repeated write whose answer was lost would look like an external write, so the caller reads again instead.
    const request = { body, headers: JSON_BODY, retry: { limit: 0 } };
    const answer = await this.vault.ask<{ data: { version: number } }>(
      "post",
      this.pathOf("data", path),
      request,
      (status, words) => status === 400 && words.includes("check-and-set"),
    );
    return answer === undefined ? undefined : { version: String(answer.data.version) };
  }

  isBefore(read: StoredValue | undefined, version: string): boolean {
    return read === undefined || Number(read.version) < Number(version);
  }

  async mark(path: string, says: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const place = this.pathOf("metadata", path);
    const found = (await this.vault.get<KvMetadata>(place))?.data.custom_metadata ?? {};
    const changed = changedMarks(found, says);
    if (Object.keys(changed).length === 0) return [];
    const body = JSON.stringify({ custom_metadata: changed });
    // A patch leaves no time for a write in between. A token with `update` alone, and Vault before 1.9, write the whole.
    const { ok } = await this.vault.askText("patch", place, { body, headers: MERGE_PATCH }, [403, 405]);
    if (!ok) {
      const all = Object.entries({ ...found, ...changed }).filter(([, text]) => text !== null);
      await this.vault.ask("post", place, { json: { custom_metadata: Object.fromEntries(all) } });
    }
    return Object.keys(changed);
  }

  advice(path: string, keys: readonly string[] = [VALUE_KEY]): string {
    if (keys.length > 1)
      return "name the keys that are there in the config (`keys`; `rotation adopt` does), or write the values in use under these";
    return (
      "write the value in use beside the other keys, which stay as they are " +
      `(\`vault kv patch ${this.place(path)} ${quoted(`${keys[0]}=-`)}\` takes it from stdin)`
    );
  }

  async check(paths: readonly string[], seconds = 0): Promise<string> {
    await this.assertUnsealed();
    const needs = {
      ...Object.fromEntries(paths.map((path) => [this.pathOf("data", path), ["create", "read", "update"]])),
      // For the marks beside the values.
      ...Object.fromEntries(paths.map((path) => [this.pathOf("metadata", path), ["read", ["update", "patch"]]])),
    };
    // A token that Vault does not know is refused here; what it lacks means nothing if the mount is a wrong one.
    const lacking = await this.vault.lacking(needs);
    if (paths.length > 0) await this.assertVersion2();
    if (lacking !== undefined) throw new StepError(lacking);
    await this.assertTokenLasts(seconds);
    return [this.vault.address, ...Object.keys(needs)].join(", ");
  }

  /** A token that may read a path in a mount may also query what the mount is. */
  private async assertVersion2(): Promise<void> {
    const { mount } = this.store;
    const about = await this.vault.get<{ data: Parameters<typeof refusedMount>[1] }>(
      `sys/internal/ui/mounts/${mount}`,
      {},
      [403, 404],
    );
    const refused = refusedMount(mount, about?.data);
    if (refused !== undefined) throw new StepError(refused);
  }

  /** A token that may not look itself up (it has no policy `default`) is not checked. The run's own is renewed first. */
  private async assertTokenLasts(seconds: number): Promise<void> {
    const { session } = this.store;
    const lookUp = () => this.vault.get<{ data: TokenFacts }>("auth/token/lookup-self", {}, [403, 404]);
    const problem = async () => {
      const answer = await lookUp();
      return answer && refusedToken(answer.data, seconds, session !== undefined);
    };
    let refused = await problem();
    if (refused !== undefined && session !== undefined) {
      await this.vault.put("auth/token/renew-self", { increment: `${seconds}s` }, [400, 403]);
      refused = await problem();
    }
    if (refused !== undefined) throw new StepError(refused);
  }

  private async assertUnsealed(): Promise<void> {
    const health = await this.vault.ask<{ sealed: boolean; initialized: boolean }>("get", "sys/health", {
      searchParams: { standbyok: "true", perfstandbyok: "true", sealedcode: "200", uninitcode: "200" },
      // This path is outside of every namespace: with the header it answers 400.
      headers: { [NAMESPACE_HEADER]: undefined },
    });
    if (health?.initialized === false) throw new StepError(`Vault at ${this.vault.address} is not initialised`);
    if (health?.sealed)
      throw new StepError(`Vault at ${this.vault.address} is sealed; unseal it with \`vault operator unseal\``);
  }

  /** The latest version cannot be read any more. */
  private goneWords(path: string, { version, deletion_time: deleted, destroyed }: KvVersion): string | undefined {
    if (destroyed === true) return `version ${version} is destroyed`;
    if (!deleted || new Date(deleted) > new Date()) return undefined;
    return `version ${version} was deleted at ${deleted}; \`vault kv undelete -versions=${version} ${this.place(path)}\` brings it back`;
  }

  /** A document, as the arguments of `vault kv` name it. */
  private place(path: string): string {
    const { mount, environment } = this.store;
    return `-mount=${quoted(mount)} ${quoted(`${environment}/${path}`)}`;
  }

  private pathOf(kind: "data" | "metadata", path: string): string {
    const { mount, environment } = this.store;
    return `${mount}/${kind}/${environment}/${path}`;
  }
}

/** The text of a member of an answer; undefined if the answer is no object or has no such member. */
function member(json: string | undefined, name: string): string | undefined {
  if (json === undefined || !json.trimStart().startsWith("{")) return undefined;
  return jsonMembers(json).get(name);
}
