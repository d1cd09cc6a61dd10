import type * as z from "zod";
import type { DocumentShape } from "./document";
import type { Problem } from "./problem";
import type { OfKind, Traits } from "./traits";

/** A secret of the config with its place in the list. */
export interface Placed<S> {
  readonly index: number;
  readonly secret: S;
}

/** A path in the store, and the key of the config that says so. */
export interface StorePath {
  readonly path: string;
  readonly setBy: string;
}

/**
 * A kind's part in the config. `S` is a secret of the kind; `C` is the part of the config that the checks read.
 *
 * Checks also run if single keys are wrong, so that every wrong key is named at once: a check that cannot run then finds
 * nothing.
 */
export interface ConfigPart<S extends OfKind, C> {
  readonly traits: Traits;
  /** Its keys: an object with a literal `kind`, and a `strategy` if the `kind` has several. */
  readonly schema: z.ZodType<S>;
  /** The name of a secret if the config gives none; undefined if the name is mandatory. */
  readonly defaultName?: string;
  /** Where the store keeps it, the value of a login behind its user name. Empty if it is in no store. */
  paths(secret: S): readonly StorePath[];
  /** The JSON documents among these paths. Default: none. */
  documents?(secret: S): readonly DocumentShape[];
  /** Names or addresses of the servers that only this secret uses: in a lab they must be loopback addresses. */
  addresses(secret: S): readonly string[];
  /** Checks of one secret against the rest of the config. */
  check(config: C, placed: Placed<S>): readonly Problem[];
  /** Checks across all secrets of the kind and its own keys of the config. Each runs once. */
  readonly checksTogether: readonly ((config: C) => readonly Problem[])[];
}
