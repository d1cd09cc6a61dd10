import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { activeGeneration } from "../core/state";
import type { After } from "./after";
import { SecretRotation, type SecretRotationArgs } from "./secret-rotation";
import type { DeclaredEntry, Marks, Stored } from "./stack-store";
import { type StoreGuard, storeUnchanged } from "./store-unchanged";

export interface StoredCredentialArgs extends SecretRotationArgs {
  /** Whether a request says to overwrite an external write to the store. */
  readonly force: boolean;
}

/** What all secrets share whose value this stack writes into the store: checked before, written, marked. */
export abstract class StoredCredential<A extends StoredCredentialArgs> extends SecretRotation<A> {
  protected createUnchanged(guard: StoreGuard, dependsOn: After): local.Command {
    const { force, platform, state } = this.args;
    const args = { store: platform.store.reference, ...guard, force, trigger: this.trigger, inPlace: state.inPlace };
    return storeUnchanged(this.name, args, { parent: this, dependsOn });
  }

  protected createStored(entries: readonly DeclaredEntry[], guard: StoreGuard, dependsOn: pulumi.Resource): Stored {
    const { state, force, platform } = this.args;
    const { active: slot } = state;
    const args = { entries, generation: activeGeneration(state), slot, trigger: this.trigger, force };
    return platform.store.write(this.name, { ...args, ...guard }, { parent: this, dependsOn });
  }

  protected createMarks(marks: Marks, dependsOn: After): After {
    return this.args.platform.store.mark(this.name, marks, { parent: this, dependsOn });
  }
}
