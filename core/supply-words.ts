/** How an operator supplies a key, for messages. */
export interface SupplyWords {
  /** How a key is made and named, as a clause: `Create a key on the dashboard, label it with today's date`. */
  readonly make: string;
  /** What a key is called: `key pair`. */
  readonly noun: string;
  /** Of those, one: `pair`. */
  readonly one: string;
  /** The command that supplies it. */
  readonly command: string;
}

/** The words for a key that the operator supplies. */
export function supplyWords({ supply }: { readonly supply?: SupplyWords | undefined }): SupplyWords {
  if (supply === undefined) throw new Error("a kind with a `suppliedKeyLabel` must say how a key is supplied");
  return supply;
}
