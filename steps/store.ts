import * as z from "zod";
import { secret } from "../rotation/secret-fields";
import { AwsClient } from "./aws";
import { VaultClient } from "./vault";

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
  readonly value: string;
  /** The version, as the store's users name it. */
  readonly version: string;
  /** When the version was written, ISO 8601. */
  readonly writtenAt: string;
}

/** What steps need of a store. */
export interface StoreClient {
  /** A secret's value and version; undefined where there is none. */
  read(path: string): Promise<StoredValue | undefined>;
  /** Fails where the store cannot be reached or the paths may not be written. Returns the evidence. */
  check(paths: readonly string[]): Promise<string>;
  /** Makes a value the one in use, for an operator's repair; rotations write through the engine. */
  write(entry: StoreEntry, pair?: PairMark): Promise<void>;
}

/** What values that belong together carry, so that a reader never takes half a pair. */
export interface PairMark {
  readonly generation: number;
  readonly slot: 0 | 1;
}

export function storeClient(reference: StoreReference): StoreClient {
  return reference.kind === "aws" ? new AwsClient(reference) : new VaultClient(reference);
}
