import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { activeGeneration } from "../rotation/state";
import { SecretRotation, type SecretRotationArgs } from "./secret-rotation";
import type { AnnotateArgs, StoreEntry } from "./secret-store";
import { type StoreUnchangedArgs, storeUnchanged } from "./store-unchanged";

export interface StoredCredentialArgs extends SecretRotationArgs {
  /** Whether this update does a step of the secret. */
  readonly acts: boolean;
  readonly force: boolean;
}

/** What every secret has in common whose value this stack writes into the store: asked before, written, marked. */
export abstract class StoredCredential<A extends StoredCredentialArgs> extends SecretRotation<A> {
  protected createUnchanged(
    asked: Pick<StoreUnchangedArgs, "before" | "after" | "whenForeign">,
    dependsOn: pulumi.Resource,
  ): local.Command {
    const { force, platform } = this.args;
    const { trigger } = this;
    const args = { store: platform.store.reference, ...asked, force, trigger };
    return storeUnchanged(this.name, args, { parent: this, dependsOn });
  }

  protected createStored(entries: readonly StoreEntry[], dependsOn: pulumi.Resource): local.Command {
    const { state, acts, platform } = this.args;
    const { active: slot, activatedBy: request } = state;
    const args = { entries, generation: activeGeneration(state), slot, request, trigger: this.trigger, acts };
    return platform.store.write(this.name, args, { parent: this, dependsOn });
  }

  protected createMarks(marks: AnnotateArgs["marks"], dependsOn: pulumi.Resource): pulumi.Resource {
    const { store } = this.args.platform;
    return store.annotate(this.name, { marks, trigger: this.trigger }, { parent: this, dependsOn });
  }
}
