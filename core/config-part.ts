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
 * A kind's part in the config. `S` is a secret of the kind; `C` is the config, as far as the checks look at it.
 *
 * Checks are asked also where single keys are wrong, so that every wrong key is named at once: one that cannot be made
 * then finds nothing.
 */
export interface ConfigPart<S extends OfKind, C> {
  readonly traits: Traits;
  /** The name of a secret to which the config gives none; undefined where the name is mandatory. */
  readonly defaultName?: string;
  /** Where the store keeps it, the value of a login behind its user name. Empty where it is in no store. */
  paths(secret: S): readonly StorePath[];
  /** Names or addresses of the servers that only this secret is about: in a lab they must be loopback addresses. */
  addresses(secret: S): readonly string[];
  /** What ties one secret to the rest of the config. */
  check(config: C, placed: Placed<S>): readonly Problem[];
  /** What ties all secrets of the kind, and its own keys of the config, together. Each is asked once. */
  readonly checksTogether: readonly ((config: C) => readonly Problem[])[];
}
