import { z } from "zod";
import { VaultClient } from "./vault";

/** How to reach the store; its credential comes from the environment. */
export const storeReference = z.object({
  kind: z.literal("vault"),
  address: z.string().optional(),
  mount: z.string(),
  environment: z.string(),
});

export type StoreReference = z.output<typeof storeReference>;

/** A value and where it is kept. */
export const storeEntry = z.object({ path: z.string(), value: z.string() });

export type StoreEntry = z.output<typeof storeEntry>;

/** What steps need of a store. */
export interface StoreClient {
  /** A secret's value and version; undefined where there is none. */
  read(path: string): Promise<{ readonly value: string; readonly version: string } | undefined>;
  /** Fails where the store cannot be reached or the paths may not be written. Returns the evidence. */
  check(paths: readonly string[]): Promise<string>;
}

export function storeClient(reference: StoreReference): StoreClient {
  return new VaultClient(reference);
}
