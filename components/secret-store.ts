import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { StoreConfig } from "../config";
import type { SlotIndex } from "../rotation/state";

/** One value and where it is kept, such as `database/password`. */
export interface StoreEntry {
  readonly path: string;
  readonly value: pulumi.Input<string>;
  /** Set where the value is no secret and may stand in messages. */
  readonly public?: true;
}

export interface WriteArgs {
  readonly entries: readonly StoreEntry[];
  /** Kept beside values that belong together, so that a reader can tell whether it read a pair. */
  readonly generation: pulumi.Input<number>;
  /** The slot that the values are from; told apart in the same way by a store that cannot keep a number. */
  readonly slot: SlotIndex;
  /**
   * The request that a rollback follows. What it returns to may stand in the state as written last, while an update that
   * was killed wrote after that: with a request's id beside it, it is written again.
   */
  readonly request: string | undefined;
  /** The activation the write belongs to. */
  readonly trigger: pulumi.Input<string>;
  /** Whether this update does a step of the secret. Where it does not, what others did to the store stays as it is. */
  readonly acts: boolean;
}

export interface AnnotateArgs {
  /** What is said about each path: the whole of it, so that a mark that is left out goes. Never a value. */
  readonly marks: readonly { readonly path: string; readonly says: pulumi.Input<Record<string, string>> }[];
  /** The activation that the marks belong to. */
  readonly trigger: pulumi.Input<string>;
}

/** A place that services read secrets from. */
export interface SecretStore {
  readonly kind: StoreConfig["kind"];
  /** What a step needs to reach the store; no credential among it. */
  readonly reference: StoreReference;
  /** Where a secret is kept, as the store's users write it. */
  pathOf(secret: string): string;
  /**
   * Writes the entries, one after the other, and reads all of them back. What comes after depends on the result, which
   * prints the versions written.
   */
  write(name: string, args: WriteArgs, opts: WriteOptions): local.Command;
  /**
   * Marks what is kept at the paths (Vault's custom metadata, AWS's tags), one after the other; writes no version. What
   * comes after depends on the result.
   */
  annotate(name: string, args: AnnotateArgs, opts: WriteOptions): pulumi.Resource;
}

export interface WriteOptions {
  readonly parent: pulumi.Resource;
  readonly dependsOn: pulumi.Resource;
}

/** How a step reaches a store. */
export type StoreReference =
  | { readonly kind: "vault"; readonly address?: string; readonly mount: string; readonly environment: string }
  | { readonly kind: "aws"; readonly region: string; readonly endpoint?: string; readonly environment: string };

/** The store that the config names. Loads the SDK of that one alone: `@pulumi/aws` has 84 MB. */
export async function createStore(config: StoreConfig, environment: string): Promise<SecretStore> {
  if (config.kind === "vault") return new (await import("./stores/vault")).VaultStore(config, environment);
  return (await import("./stores/aws")).createAwsStore(config, environment);
}
