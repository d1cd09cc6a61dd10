import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { After } from "../../components/after";
import { describeSecret } from "../../components/secret-outputs";
import { answerOf } from "../../components/step-command";
import type { VaultStaticConfig } from "../../config";
import type { Fingerprint } from "../../core/fingerprints";
import { activeGeneration, type SecretState } from "../../core/state";
import { VaultCredential, type VaultCredentialArgs } from "../vault-engine/credential";
import { vaultStaticAsks } from "./asks";

export type VaultStaticPasswordArgs = VaultCredentialArgs<VaultStaticConfig>;

/**
 * A PostgreSQL password that Vault rotates by itself (a static role), through one whole rotation: preflight, the role in
 * Vault, Vault's rotation if this stack requests one, login, restarts, login again, audit row.
 */
export class VaultStaticPassword extends VaultCredential<VaultStaticConfig> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = vaultStaticAsks;

  constructor(name: string, args: VaultStaticPasswordArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("VaultStaticPassword", name, args, opts);
    const { config, databases } = args;

    const preflight = this.createPreflight();
    const connected = databases.connect(config, this.begin(preflight));
    // The policy comes before the role: once Vault makes the role, nothing else has the password.
    const readable = databases.policy(
      `${name}-policy`,
      config,
      [{ path: `${config.vault.mount}/static-creds/${config.staticRole}`, capabilities: ["read"] }],
      { parent: this, dependsOn: connected },
    );
    const rotation = this.createRotation(preflight, this.createRole(readable));
    const verified = this.createLogin("verify-login", rotation);
    const restarted = this.createRestarts(verified);
    const confirmed = this.createLogin("confirm-login", restarted.last);
    // Vault's last rotation before the restarts began: a later one is left to the next update.
    const seen = answerOf(rotation).apply(({ lastVaultRotation }) => lastVaultRotation as string | undefined);
    this.description = this.describe(seen);
    const audit = this.createAudit([preflight], confirmed, {}, this.printsOf([verified, confirmed]));

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
      // Services read from it: it stays when the secret is removed from the stack.
      { parent: this, dependsOn, provider: databases.provider, retainOnDelete: true },
    );
  }

  private createRotation(preflight: local.Command, dependsOn: pulumi.Resource): local.Command {
    const before = answerOf(preflight).apply(({ lastVaultRotation }) => String(lastVaultRotation ?? ""));
    const input = { role: this.roleInVault, force: this.args.state.forced === true, before };
    return this.createStep("vault-rotation", "vault-rotation", input, dependsOn);
  }

  /** A real login with what the services get from Vault. */
  private createLogin(name: string, dependsOn: After): local.Command {
    const { platform, state } = this.args;
    const { fingerprintKey } = platform;
    const keep = fingerprintKey === undefined ? {} : { keep: { fingerprintKey, generation: activeGeneration(state) } };
    return this.createStep(
      name,
      "vault-login",
      { role: this.roleInVault, database: this.database, ...keep },
      dependsOn,
    );
  }

  /** The fingerprints of what Vault handed out in this generation: it may rotate between the two logins. */
  private printsOf(logins: readonly local.Command[]): pulumi.Output<Fingerprint[]> | undefined {
    if (this.args.platform.fingerprintKey === undefined) return undefined;
    return pulumi
      .all(logins.map(answerOf))
      .apply((answers) => answers.flatMap(({ fingerprints }) => (fingerprints ?? []) as Fingerprint[]));
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
}
