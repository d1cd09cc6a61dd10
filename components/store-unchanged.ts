import type * as pulumi from "@pulumi/pulumi";
import type { StoreEntry, StoreReference } from "./secret-store";
import { stepCommand } from "./step-command";

export interface StoreUnchangedArgs {
  readonly store: StoreReference;
  /** What the store holds before this activation; nothing is asked of a path that is not among it. */
  readonly before: readonly StoreEntry[];
  /** What it is about to hold, or holds already where an update died half-way. */
  readonly after: readonly StoreEntry[];
  /** What to do where somebody else wrote; the end of the message. */
  readonly whenForeign: string;
  /** Whether what somebody else wrote is overwritten all the same. */
  readonly force: boolean;
  /** The activation. */
  readonly trigger: string;
}

/**
 * Asks once more, right before the first change, that nobody else wrote: the preflight was some time ago, and asks
 * nothing of the kind in a rollback or an emergency.
 */
export function storeUnchanged(name: string, args: StoreUnchangedArgs, opts: pulumi.CustomResourceOptions) {
  const { store, before, after, whenForeign, force, trigger } = args;
  const paths = before.map(({ path }) => path);
  const known = [...before, ...after.filter(({ path }) => paths.includes(path))];
  const input = { store, known, whenForeign, force };
  return stepCommand(
    `${name}-store-unchanged`,
    { step: "store-unchanged", input, trigger, runOnInputChange: false },
    opts,
  );
}
