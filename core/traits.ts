/** The properties of a kind of secret, as data: everything outside the kind's own folder uses these. */
export interface Traits {
  /** Whether it is a login of a database that the config names. */
  readonly hasDatabase: boolean;
  /** Whether it is rotated by age. False for leases, which end by themselves. */
  readonly ages: boolean;
  /** Whether the old and the new credential are valid at once, so that no login fails while services restart. */
  readonly overlaps: boolean;
  /** Whether a request can activate the previous generation again. */
  readonly rollsBack: boolean;
  /**
   * Who makes a new value: this pipeline, the operator (who supplies it in the config), or Vault's database engine.
   * What Vault makes is read from Vault itself; anything else this pipeline writes into the store.
   */
  readonly suppliedBy: "pipeline" | "operator" | "vault";
  /** The provider plugins that it needs, besides those of the store and of every stack. */
  readonly plugins: readonly ("postgresql" | "vault")[];
}

/** The keys of the config that identify a secret's kind. */
export interface OfKind {
  readonly kind: string;
  readonly strategy?: string | undefined;
  /** Set if the issuer makes the values at this pipeline's request, of a kind whose values the operator supplies otherwise. */
  readonly issue?: unknown;
}
