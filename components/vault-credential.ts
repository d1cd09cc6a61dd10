import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { VaultPasswordConfig } from "../config";
import type { Policy } from "../rotation/policy";
import { activation, activeGeneration, type SecretState } from "../rotation/state";
import { AuditRecord } from "./audit-record";
import { databaseReference, type Platform, servicesOf } from "./platform";
import { Preflight, type PreflightArgs } from "./preflight";
import { type RollingRestart, restartServices } from "./rolling-restart";
import { answerOf, type StepCommandArgs, stepCommand } from "./step-command";
import type { VaultDatabases } from "./vault-database";

export interface VaultCredentialArgs<C extends VaultPasswordConfig> {
  /** The secret as the config declares it. */
  readonly config: C;
  /** The state this update brings the secret to. */
  readonly state: SecretState;
  readonly policy: Policy;
  readonly platform: Platform;
  readonly databases: VaultDatabases;
}

/**
 * What every secret that Vault makes has in common: preflight, restarts, audit row, and steps that run once a
 * generation. The value is never in the stack: services and steps read it from Vault.
 */
export abstract class VaultCredential<C extends VaultPasswordConfig> extends pulumi.ComponentResource {
  /** The secret's state, resolved once all of it is true and in the audit log. */
  abstract readonly state: pulumi.Output<SecretState>;
  /** What the stack says of the secret: strategy, paths and dates. */
  abstract readonly description: pulumi.Output<Record<string, unknown>>;
  /** The audit row: what comes after this secret depends on it. */
  abstract readonly last: pulumi.Resource;

  private readonly trigger: string;

  protected constructor(
    type: string,
    protected readonly name: string,
    protected readonly args: VaultCredentialArgs<C>,
    protected readonly opts: pulumi.ComponentResourceOptions,
  ) {
    super(`secret-rotation:index:${type}`, name, {}, opts);
    this.trigger = activation(args.state);
  }

  /** How a service's login reaches the database. */
  protected get database(): Record<string, unknown> {
    const { admin: _, ...database } = this.args.config.database;
    return databaseReference(database);
  }

  /** What the preflight looks at in Vault and in the database, whatever the strategy. */
  protected get engine() {
    const { config, state, databases } = this.args;
    return {
      engine: databases.engineOf(config),
      database: { ...databaseReference(config.database), role: config.role },
      taken: state.step.action !== "ADOPT",
    };
  }

  /** @param own what only this strategy has the preflight look at. */
  protected createPreflight(own: Pick<PreflightArgs, "mode" | "notice" | "vaultRole" | "leases">): local.Command {
    const { config, platform } = this.args;
    const { dependsOn } = this.opts;
    return new Preflight(
      `${this.name}-preflight`,
      {
        ...own,
        secret: config.name,
        store: platform.store.reference,
        paths: [],
        audit: platform.audit.connection,
        services: servicesOf(Object.keys(platform.services), platform.services),
        hosts: platform.hosts,
        privateKey: platform.privateKey,
        alpaca: platform.marketClock,
        allowOpenMarket: platform.allowOpenMarket,
        current: undefined,
        whenForeign: "",
        trigger: this.trigger,
      },
      { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) },
    ).command;
  }

  /** A step that runs once a generation. */
  protected createStep(
    name: string,
    step: StepCommandArgs["step"],
    input: Record<string, unknown>,
    dependsOn: pulumi.Resource,
  ): local.Command {
    const { reference: store } = this.args.databases;
    return stepCommand(
      `${this.name}-${name}`,
      { step, input: { store, ...input }, trigger: this.trigger, runOnInputChange: false },
      { parent: this, dependsOn },
    );
  }

  protected createRestarts(dependsOn: pulumi.Resource): RollingRestart {
    const { config, platform } = this.args;
    return restartServices(this.name, config.restart, platform, this.trigger, { parent: this, dependsOn });
  }

  protected createAudit(preflight: local.Command, dependsOn: pulumi.Resource): AuditRecord {
    const { config, state, platform } = this.args;
    return new AuditRecord(
      `${this.name}-audit`,
      {
        target: platform.audit,
        secret: config.name,
        state,
        startedAt: answerOf(preflight).apply(({ startedAt }) => String(startedAt ?? "")),
        outputs: pulumi.all([this.description, answerOf(preflight)]).apply(([description, { overrides }]) => ({
          ...description,
          generation: activeGeneration(state),
          overrides: overrides ?? [],
        })),
        clock: platform.clock,
      },
      { parent: this, dependsOn },
    );
  }
}
