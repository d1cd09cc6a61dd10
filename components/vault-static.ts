import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { VaultStaticConfig } from "../config";
import type { Policy } from "../rotation/policy";
import { activation, activeGeneration, type SecretState } from "../rotation/state";
import { AuditRecord } from "./audit-record";
import { databaseReference, type Platform, servicesOf } from "./platform";
import { Preflight } from "./preflight";
import { RollingRestart } from "./rolling-restart";
import { describeSecret } from "./secret-outputs";
import { answerOf, stepCommand } from "./step-command";
import type { VaultDatabases } from "./vault-database";

export interface VaultStaticPasswordArgs {
  /** The secret as the config declares it. */
  readonly config: VaultStaticConfig;
  /** The state this update brings the secret to. */
  readonly state: SecretState;
  readonly policy: Policy;
  readonly platform: Platform;
  readonly databases: VaultDatabases;
}

/**
 * A PostgreSQL password that Vault rotates by itself (a static role), through one whole rotation: preflight, the role in
 * Vault, Vault's rotation where this stack asks for one, login, restarts, login again, audit row. The password is never
 * in the stack: services and steps read it from Vault.
 */
export class VaultStaticPassword extends pulumi.ComponentResource {
  /** The secret's state, resolved once all of it is true and in the audit log. */
  readonly state: pulumi.Output<SecretState>;
  /** What the stack says of the secret: strategy, paths and dates. */
  readonly description: pulumi.Output<Record<string, unknown>>;
  /** The audit row: what comes after this secret depends on it. */
  readonly last: pulumi.Resource;

  private readonly trigger: string;

  constructor(
    private readonly name: string,
    private readonly args: VaultStaticPasswordArgs,
    opts: pulumi.ComponentResourceOptions = {},
  ) {
    super("secret-rotation:index:VaultStaticPassword", name, {}, opts);
    const { config, databases } = args;
    this.trigger = activation(args.state);

    const preflight = this.createPreflight(opts.dependsOn);
    const role = this.createRole(databases.connect(config, preflight));
    const readable = databases.policy(
      `${name}-policy`,
      config,
      [{ path: `${config.vault.mount}/static-creds/${config.staticRole}`, capabilities: ["read"] }],
      { parent: this, dependsOn: role },
    );
    const rotation = this.createRotation(preflight, readable);
    const verified = this.createLogin("verify-login", rotation);
    const restarted = this.createRestarts(verified);
    const confirmed = this.createLogin("confirm-login", restarted.last);
    // What Vault had done before the restarts began: a rotation after that is the next update's.
    const seen = answerOf(rotation).apply(({ lastVaultRotation }) => lastVaultRotation as string | undefined);
    this.description = this.describe(seen);
    const audit = this.createAudit(preflight, confirmed);

    this.state = pulumi
      .all([audit.state, seen])
      .apply(([state, at]): SecretState => (at === undefined ? state : { ...state, vaultRotation: at }));
    this.last = audit.command;
    this.registerOutputs({});
  }

  private get roleInVault() {
    const { vault: own, staticRole } = this.args.config;
    return { mount: own.mount, name: staticRole };
  }

  private get database(): Record<string, unknown> {
    const { admin: _, ...database } = this.args.config.database;
    return databaseReference(database);
  }

  private createPreflight(dependsOn: pulumi.ResourceOptions["dependsOn"]): local.Command {
    const { config, state, platform } = this.args;
    // What Vault has rotated by itself has to be rolled out, whatever the market does: new logins fail meanwhile.
    const mode = state.emergency
      ? "emergency"
      : state.step.action === "ROTATE" && !state.forced
        ? "repair"
        : "rotation";
    return new Preflight(
      `${this.name}-preflight`,
      {
        mode,
        secret: config.name,
        store: platform.store.reference,
        paths: [],
        vaultRole: {
          ...this.roleInVault,
          createMount: config.vault.createMount,
          connection: config.vault.connection,
          schedule: config.rotationSchedule !== undefined,
          database: { ...databaseReference(config.database), role: config.role },
          taken: state.step.action !== "ADOPT",
        },
        audit: platform.audit.connection,
        services: servicesOf(Object.keys(platform.services), platform.services),
        hosts: platform.hosts,
        privateKey: platform.privateKey,
        alpaca: platform.marketClock,
        allowOpenMarket: platform.allowOpenMarket,
        ...(platform.notice !== undefined && state.byAge
          ? {
              notice: {
                before: platform.notice,
                generation: activeGeneration(state) - 1,
                clock: platform.clock === undefined ? null : state.rotatedAt,
              },
            }
          : {}),
        current: undefined,
        whenForeign: "",
        trigger: this.trigger,
      },
      { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) },
    ).command;
  }

  private createRole(dependsOn: pulumi.Resource): pulumi.Resource {
    const { config, databases } = this.args;
    const { rotationPeriod: period, rotationSchedule: schedule, rotationWindow: window } = config;
    return new vault.database.SecretBackendStaticRole(
      `${this.name}-static-role`,
      {
        backend: config.vault.mount,
        name: config.staticRole,
        dbName: config.vault.connection,
        username: config.role,
        ...(period === undefined ? {} : { rotationPeriod: Math.ceil(period / 1000) }),
        ...(schedule === undefined ? {} : { rotationSchedule: schedule }),
        ...(window === undefined ? {} : { rotationWindow: Math.ceil(window / 1000) }),
      },
      // Services read from it: it stays when the secret leaves the stack.
      { parent: this, dependsOn, provider: databases.provider, retainOnDelete: true },
    );
  }

  private createRotation(preflight: local.Command, dependsOn: pulumi.Resource): local.Command {
    const { state, platform } = this.args;
    const before = answerOf(preflight).apply(({ lastVaultRotation }) => String(lastVaultRotation ?? ""));
    return stepCommand(
      `${this.name}-vault-rotation`,
      {
        step: "vault-rotation",
        input: { store: platform.store.reference, role: this.roleInVault, force: state.forced === true, before },
        trigger: this.trigger,
        runOnInputChange: false,
      },
      { parent: this, dependsOn },
    );
  }

  /** A real login with what the services get from Vault. */
  private createLogin(step: string, dependsOn: pulumi.Resource): local.Command {
    const { platform } = this.args;
    return stepCommand(
      `${this.name}-${step}`,
      {
        step: "vault-login",
        input: { store: platform.store.reference, role: this.roleInVault, database: this.database },
        trigger: this.trigger,
        runOnInputChange: false,
      },
      { parent: this, dependsOn },
    );
  }

  private createRestarts(dependsOn: pulumi.Resource): RollingRestart {
    const { config, platform } = this.args;
    return new RollingRestart(
      `${this.name}-restart`,
      {
        services: servicesOf(config.restart, platform.services),
        hosts: platform.hosts,
        privateKey: platform.privateKey,
        trigger: this.trigger,
      },
      { parent: this, dependsOn },
    );
  }

  private describe(seen: pulumi.Output<string | undefined>): pulumi.Output<Record<string, unknown>> {
    const { config, state, policy, platform, databases } = this.args;
    const { kind, strategy, role } = config;
    const more = seen.apply(
      (at): Record<string, unknown> => ({
        readFrom: `${config.vault.mount}/static-creds/${config.staticRole}`,
        servicePolicy: databases.policyName(config),
        rotatedBy: state.forced === true ? "this stack" : "Vault",
        ...(at === undefined ? {} : { lastVaultRotation: at }),
      }),
    );
    const written: pulumi.Output<Record<string, unknown>> = seen.apply((): Record<string, unknown> => ({}));
    return describeSecret({ kind, strategy, role, store: platform.store.kind, state, policy, written, more });
  }

  private createAudit(preflight: local.Command, dependsOn: pulumi.Resource): AuditRecord {
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
