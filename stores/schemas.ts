import * as z from "zod";
import type { Phase } from "../core/phases";
import { byKind } from "../core/schema-parts";
import { awsSchema } from "./aws/schema";
import { vaultSchema } from "./vault/schema";

/** How a Vault is reached. */
export interface VaultPlace {
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  /** A file with authorities. */
  readonly caCert?: string | undefined;
  /** The run's session, if runs log in. */
  readonly session?: string | undefined;
}

/** Every store's part in the config: a line each. */
const SCHEMAS = [vaultSchema, awsSchema] as const satisfies readonly StoreSchema[];

/**
 * What is known of a store without querying it: data and pure functions.
 *
 * `C` is its part of the config, `R` how a step reaches it.
 */
export interface StoreSchema<C = unknown, R = unknown> {
  /** The config's `store.kind`; outputs and reports name the store so. */
  readonly kind: string;
  /** The schema of `store` in the config. */
  readonly config: z.ZodObject;
  /** How a step reaches it, without a credential: that comes from the environment. */
  readonly reference: z.ZodObject;
  /**
   * It is part of every step's input, and so of the state: a changed order of keys would change the step.
   * @param stack names the run's session, if runs log in to the store.
   */
  referenceOf(config: C, environment: string, stack?: string): R;
  /** The full location of a path, as the store's users write it. */
  placeOf(reference: R, path: string): string;
  /** The store's host as far as the config names it: in a lab it must be a loopback address. */
  host(config: C): string;
  /** Settings that only a lab may have, with their key below `store`. */
  onlyInLab(config: C): readonly { readonly key: string; readonly message: string }[];
  /** What is wrong with the secret config key `vaultSecretId`; undefined if nothing is. */
  loginProblem?(config: C, vaultSecretId: string | undefined): string | undefined;
  /** The Vault that is the store, which can make logins itself; undefined for another store. */
  vault(place: C | R): VaultPlace | undefined;
  /** The store's word for marks beside a value; the steps that set them are named after it. */
  readonly marks: string;
  /** The provider plugins that a stack needs for it. */
  readonly plugins: readonly string[];
  /**
   * The types of its provider's resources, of earlier versions of this program too: which part of a rotation each belongs
   * to, and whether it holds a credential, which cannot be restored once it is deleted.
   */
  readonly resources: Readonly<Record<string, { readonly phase: Phase; readonly holdsCredential?: true }>>;
}

/** The resources of each store's provider in a rotation: {@link StoreSchema.resources}. */
export const storeResources = (): StoreSchema["resources"][] => SCHEMAS.map(({ resources }) => resources);

/** One part of each, with its own type. */
const each = <const L extends readonly object[], K extends keyof L[number]>(list: L, key: K) =>
  list.map((one) => one[key as keyof typeof one]) as unknown as {
    [I in keyof L]: K extends keyof L[I] ? L[I][K] : never;
  };

/** The store that services read their secrets from. */
export const store = z.discriminatedUnion("kind", each(SCHEMAS, "config"), byKind);

/** How to reach the store; its credential comes from the environment. */
export const storeReference = z.discriminatedUnion("kind", each(SCHEMAS, "reference"));

export type StoreConfig = z.output<typeof store>;
export type StoreReference = z.output<typeof storeReference>;

/** What is known of the store that a config or a reference names. */
export function schemaOf({ kind }: Pick<StoreConfig, "kind">): StoreSchema<StoreConfig, StoreReference> {
  const found: StoreSchema<StoreConfig, StoreReference> | undefined = SCHEMAS.find((one) => one.kind === kind);
  if (found === undefined) throw new TypeError(`no store of the kind ${kind}`);
  return found;
}
