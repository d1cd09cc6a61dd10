import * as z from "zod";
import { secret } from "../core/secret-fields";
import type { Content } from "../core/store-content";
import { AwsClient } from "./aws/client";
import { VaultClient } from "./vault/client";

const vaultReference = z.object({
  kind: z.literal("vault"),
  address: z.string().optional(),
  mount: z.string(),
  environment: z.string(),
});

const awsReference = z.object({
  kind: z.literal("aws"),
  region: z.string(),
  endpoint: z.string().optional(),
  environment: z.string(),
});

/** How to reach the store; its credential comes from the environment. */
export const storeReference = z.discriminatedUnion("kind", [vaultReference, awsReference]);

export type StoreReference = z.output<typeof storeReference>;
export type VaultReference = z.output<typeof vaultReference>;
export type AwsReference = z.output<typeof awsReference>;

/** A value and where it is kept. */
export const storeEntry = z.object({ path: z.string(), value: secret(z.string()) });

export type StoreEntry = z.output<typeof storeEntry>;

/** What the store holds at a path. */
export interface StoredValue {
  /** Undefined where the store holds no text that this program reads: `content` says what it holds. */
  readonly value: string | undefined;
  readonly content: Content;
  /** The version, as the store's users name it. */
  readonly version: string;
  /** When the version was written, ISO 8601. */
  readonly writtenAt: string;
  /** Vault: the whole document as it was read, with what is not ours. Never printed. */
  readonly document?: string;
  /** AWS: the version's labels. */
  readonly labels?: readonly string[];
}

/** What steps need of a store. */
export interface StoreClient {
  /** What is at a path, with its version; undefined where there never was anything. @throws StepError */
  read(path: string): Promise<StoredValue | undefined>;
  /**
   * Fails where the store cannot be reached, is not of the right kind, or the paths may not be written and marked. Returns
   * the evidence. @param seconds how long the run's credential is needed, at the least
   */
  check(paths: readonly string[], seconds?: number): Promise<string>;
  /** Whether what was read is what a write of this entry would leave there. */
  holds(found: StoredValue | undefined, entry: StoreEntry, pair: PairMark | undefined): boolean;
  /**
   * Writes the entry beside all that is not ours, if the store still has what was read (`found`).
   * @returns the new version; undefined where somebody wrote since, and nothing was written
   */
  writeAt(
    found: StoredValue | undefined,
    entry: StoreEntry,
    pair: PairMark | undefined,
  ): Promise<NewVersion | undefined>;
  /** Whether an answer is from before a version that was just written: a standby's, say. */
  isBefore(read: StoredValue | undefined, version: string, found: StoredValue | undefined): boolean;
  /** What to do where something stands at a path that this program does not read. */
  advice(path: string): string;
  /** Sets our marks beside those of others, and takes away ours that are over. @returns what changed */
  mark(path: string, says: Readonly<Record<string, string>>): Promise<readonly string[]>;
}

/** What a write made. */
export interface NewVersion {
  readonly version: string;
  /** What is to be told of it. */
  readonly warning?: string;
}

/** What values that belong together carry, so that a reader never takes half a pair. */
export interface PairMark {
  readonly generation: number;
  readonly slot: 0 | 1;
}

export function storeClient(reference: StoreReference): StoreClient {
  return reference.kind === "aws" ? new AwsClient(reference) : new VaultClient(reference);
}
