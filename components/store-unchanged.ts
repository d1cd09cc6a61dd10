import type * as pulumi from "@pulumi/pulumi";
import type { StoreReference } from "../stores/schemas";
import type { DeclaredEntry } from "./stack-store";
import { stepCommand } from "./step-command";

/** What may be overwritten in the store, and what to say where something else stands there. */
export interface StoreGuard {
  /** Every value that this stack knows of a path, one entry for each; a path that is not among them is not asked. */
  readonly known: readonly DeclaredEntry[];
  /** What to do where somebody else wrote; the end of the message. */
  readonly whenForeign: string;
}

export interface StoreUnchangedArgs extends StoreGuard {
  readonly store: StoreReference;
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
  const { store, known, whenForeign, force, trigger } = args;
  const input = { store, known: [...known], whenForeign, force };
  return stepCommand(
    `${name}-store-unchanged`,
    { step: "store-unchanged", input, trigger, runOnInputChange: false },
    opts,
  );
}
