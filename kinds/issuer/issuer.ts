/** A key's values, by the secret's `fields`. */
export type Values = Readonly<Record<string, string>>;

/** What an issuer says of a key. `evidence` is words for people without a value: `api.example.com answers 401`. */
export type Verdict =
  | {
      readonly answer: "works";
      readonly evidence: string;
      /** Whose key it is, if the issuer says so: every key of one secret must have the same. */
      readonly identity?: string | undefined;
    }
  | { readonly answer: "refused"; readonly evidence: string }
  | {
      readonly answer: "unknown";
      readonly evidence: string;
      /** Set if the issuer did answer, but neither that it accepts the key nor that the key has ended. */
      readonly answered?: true;
    };

/** How patient a question is; a step's own is the default. */
export interface Patience {
  /** Milliseconds until all tries together give up. */
  readonly limit?: number;
  /** Milliseconds until one try gives up. */
  readonly timeout?: number;
}

/** A system outside of the platform that makes a credential and accepts it. */
export interface Issuer {
  /** Whether `issue` with the same id returns what it made before, or leaves only the newer one. */
  readonly repeats: boolean;
  /** Whether it accepts a key. Never throws for what the issuer answers. */
  verify(values: Values, patience?: Patience): Promise<Verdict>;
  /**
   * Makes a key. Undefined if only the operator can.
   *
   * @param id the same when an interrupted update repeats it
   * @throws StepError
   */
  issue?(id: string): Promise<Values>;
  /** Ends a key that was issued with this id; one that has ended is no error. Undefined if only the operator can. @throws StepError */
  revoke?(values: Values, id: string): Promise<void>;
}
