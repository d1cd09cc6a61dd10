import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { traitsOf } from "../config";
import type { Fingerprint } from "../core/fingerprints";
import { activeGeneration, writesAtOnce } from "../core/state";
import type { After } from "./after";
import type { AuditRecord } from "./audit-record";
import { SecretRotation, type SecretRotationArgs } from "./secret-rotation";
import type { DeclaredEntry, Marks, Stored } from "./stack-store";
import { type StoreGuard, storeUnchanged } from "./store-unchanged";

export interface StoredCredentialArgs extends SecretRotationArgs {
  /** Whether a request says to overwrite an external write to the store. */
  readonly force: boolean;
}

/** What all secrets share whose value this stack writes into the store: checked before, written, marked. */
export abstract class StoredCredential<A extends StoredCredentialArgs> extends SecretRotation<A> {
  private unchanged: local.Command | undefined;

  /**
   * Before the first change: no external write to the store. A step of its own only if a value that an external write may have
   * brought back ends before the store is written; else the write itself looks, before it writes the first path.
   *
   * @returns what the first change depends on: that step, or `dependsOn`
   */
  protected createUnchanged<R extends After>(guard: StoreGuard, dependsOn: R): R | local.Command {
    const { force, platform, state } = this.args;
    if (writesAtOnce(state) && !this.endsBeforeWrite) return dependsOn;
    const args = { store: platform.store.reference, ...guard, force, trigger: this.trigger, inPlace: state.inPlace };
    this.unchanged = storeUnchanged(this.name, args, { parent: this, dependsOn });
    return this.unchanged;
  }

  /**
   * A login with one password at a time loses the one in use. A slot that is filled loses its former value, which an emergency
   * may end within its grace period; in any other rotation the preflight has proven that the store does not hold it.
   */
  private get endsBeforeWrite(): boolean {
    const { config, state } = this.args;
    return !traitsOf(config).overlaps || state.emergency === true;
  }

  protected createStored(entries: readonly DeclaredEntry[], guard: StoreGuard, dependsOn: pulumi.Resource): Stored {
    const { state, force, platform } = this.args;
    const { active: slot } = state;
    const args = { entries, generation: activeGeneration(state), slot, trigger: this.trigger, force };
    const atOnce = writesAtOnce(state);
    return platform.store.write(this.name, { ...args, ...guard, atOnce }, { parent: this, dependsOn });
  }

  protected createMarks(marks: Marks, dependsOn: After): After {
    const { platform, state } = this.args;
    return platform.store.mark(this.name, marks, { parent: this, dependsOn, atOnce: writesAtOnce(state) });
  }

  /** The check before the first change is among the steps, whether it is given or not. */
  protected override createAudit(
    [first, ...steps]: readonly [local.Command, ...local.Command[]],
    last: After,
    more: pulumi.Input<Record<string, unknown>> = {},
    prints?: pulumi.Input<readonly Fingerprint[]>,
  ): AuditRecord {
    const before = this.unchanged === undefined ? [] : [this.unchanged];
    const others = new Set([...before, ...steps].filter((step) => step !== first));
    return super.createAudit([first, ...others], last, more, prints);
  }
}
