import type * as pulumi from "@pulumi/pulumi";
import type { StoreConfig } from "../config";
import type { SlotIndex } from "../core/state";

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
  /** Every value that this stack knows of a path, one entry for each: only they are overwritten. */
  readonly known: readonly StoreEntry[];
  /** What to do where somebody else wrote; the end of a message. */
  readonly whenForeign: string;
  /** Whether a request says to overwrite what somebody else wrote. */
  readonly force: boolean;
  /** The activation the write belongs to. */
  readonly trigger: pulumi.Input<string>;
}

export interface AnnotateArgs {
  /** What is said about each path: all that is ours, so that a mark that is left out goes. Never a value. */
  readonly marks: readonly { readonly path: string; readonly says: pulumi.Input<Record<string, string>> }[];
}

/** What became of a write. */
export interface Stored {
  /** What comes after the write depends on it. */
  readonly last: pulumi.Resource;
  /** `entries`: each path with its version. `warnings`: what the audit row must say. */
  readonly answer: pulumi.Output<Record<string, unknown>>;
}

/** A place that services read secrets from. */
export interface SecretStore {
  readonly kind: StoreConfig["kind"];
  /** What a step needs to reach the store; no credential among it. */
  readonly reference: StoreReference;
  /** Where a secret is kept, as the store's users write it. */
  pathOf(secret: string): string;
  /**
   * Writes the entries, one after the other, beside all that others keep there, and reads each back. Nothing is written
   * where the store holds the value; what this stack does not know is refused.
   */
  write(name: string, args: WriteArgs, opts: WriteOptions): Stored;
  /**
   * Marks what is kept at the paths (Vault's custom metadata, AWS's tags), one after the other, beside the marks of
   * others; writes no version. What comes after depends on the result.
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
  if (config.kind === "vault") return new (await import("./vault/declare")).VaultStore(config, environment);
  return (await import("./aws/declare")).createAwsStore(config, environment);
}
