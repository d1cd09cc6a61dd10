import type * as pulumi from "@pulumi/pulumi";
import type { SecretState } from "../core/state";
import type { StoreReference } from "../stores/schemas";
import type { DeclaredEntry } from "./stack-store";
import { stepCommand } from "./step-command";

/** What may be overwritten in the store, and what to say if it holds something else. */
export interface StoreGuard {
  /** Every entry that this stack knows of a path; other paths are not checked. */
  readonly known: readonly DeclaredEntry[];
  /** What to do after an external write; the end of the message. */
  readonly whenForeign: string;
}

export interface StoreUnchangedArgs extends StoreGuard {
  readonly store: StoreReference;
  /** Whether an external write is overwritten. */
  readonly force: boolean;
  /** The activation. */
  readonly trigger: string;
  /** Whether it runs in place. */
  readonly inPlace?: SecretState["inPlace"];
}

/**
 * Checks again, right before the first change, that there was no external write: the preflight was some time ago, and does
 * not check this in a rollback or an emergency.
 */
export function storeUnchanged(name: string, args: StoreUnchangedArgs, opts: pulumi.CustomResourceOptions) {
  const { store, known, whenForeign, force, trigger, inPlace } = args;
  const input = { store, known: [...known], whenForeign, force };
  return stepCommand(
    `${name}-store-unchanged`,
    { step: "store-unchanged", input, trigger, inPlace, runOnInputChange: false },
    opts,
  );
}
