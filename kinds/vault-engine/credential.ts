import type { local } from "@pulumi/command";
import type { After } from "../../components/after";
import { SecretRotation, type SecretRotationArgs } from "../../components/secret-rotation";
import { type StepCommandArgs, stepCommand } from "../../components/step-command";
import type { VaultPasswordConfig } from "../../config";
import { referenceOf } from "../../config";
import type { VaultDatabases } from "./database";

export interface VaultCredentialArgs<C extends VaultPasswordConfig> extends SecretRotationArgs {
  readonly config: C;
  readonly databases: VaultDatabases;
}

/**
 * What all secrets that Vault makes share: the preflight, and steps that run once for each generation. The value is
 * never in the stack: services and steps read it from Vault.
 */
export abstract class VaultCredential<C extends VaultPasswordConfig> extends SecretRotation<VaultCredentialArgs<C>> {
  /** How a service's login reaches the database. */
  protected get database(): Record<string, unknown> {
    const { admin: _, ...database } = this.args.config.database;
    return referenceOf(database);
  }

  /** A step that runs once for each generation. */
  protected createStep(
    name: string,
    step: StepCommandArgs["step"],
    input: Record<string, unknown>,
    dependsOn: After,
  ): local.Command {
    const { reference: store } = this.args.databases;
    return stepCommand(
      `${this.name}-${name}`,
      {
        step,
        input: { store, ...input },
        trigger: this.trigger,
        inPlace: this.args.state.inPlace,
        runOnInputChange: false,
      },
      { parent: this, dependsOn },
    );
  }
}
