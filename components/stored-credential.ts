import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { activeGeneration } from "../rotation/state";
import { SecretRotation, type SecretRotationArgs } from "./secret-rotation";
import type { AnnotateArgs, Stored, StoreEntry } from "./secret-store";
import { type StoreGuard, storeUnchanged } from "./store-unchanged";

export interface StoredCredentialArgs extends SecretRotationArgs {
  /** Whether this update does a step of the secret. */
  readonly acts: boolean;
  /** Whether a request says to overwrite what somebody else wrote into the store. */
  readonly force: boolean;
}

/** What every secret has in common whose value this stack writes into the store: asked before, written, marked. */
export abstract class StoredCredential<A extends StoredCredentialArgs> extends SecretRotation<A> {
  protected override createPreflight(checks: Parameters<SecretRotation<A>["createPreflight"]>[0]): local.Command {
    return super.createPreflight({ ...checks, acts: this.args.acts });
  }

  protected createUnchanged(guard: StoreGuard, dependsOn: pulumi.Resource): local.Command {
    const { acts, force, platform } = this.args;
    const { trigger } = this;
    const args = { store: platform.store.reference, ...guard, force, trigger };
    // `force` is for one update alone: the next one must not differ for it.
    const ignored = acts ? {} : { ignoreChanges: ["stdin"] };
    return storeUnchanged(this.name, args, { parent: this, dependsOn, ...ignored });
  }

  protected createStored(entries: readonly StoreEntry[], guard: StoreGuard, dependsOn: pulumi.Resource): Stored {
    const { state, acts, force, platform } = this.args;
    const args = {
      entries,
      generation: activeGeneration(state),
      slot: state.active,
      trigger: this.trigger,
      acts,
      force,
    };
    return platform.store.write(this.name, { ...args, ...guard }, { parent: this, dependsOn });
  }

  protected createMarks(marks: AnnotateArgs["marks"], dependsOn: pulumi.Resource): pulumi.Resource {
    return this.args.platform.store.annotate(this.name, { marks }, { parent: this, dependsOn });
  }
}
