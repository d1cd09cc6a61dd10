import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { After } from "../../components/after";
import { answerOf } from "../../components/step-command";
import type { VaultDynamicConfig } from "../../config";
import { activeGeneration, type SecretState } from "../../core/state";
import { VaultCredential, type VaultCredentialArgs } from "../vault-engine/credential";
import { leaseRoleOf } from "../vault-engine/engine";
import { vaultDynamicAsks } from "./asks";
import { definitionOf } from "./definition";
import { renewStatements } from "./statements";

export type VaultDynamicLoginsArgs = VaultCredentialArgs<VaultDynamicConfig>;

/**
 * Short-lived logins from Vault's database secrets engine: preflight, connection, a role and a policy for each service,
 * a proof of each role by a real login, restarts, the end of every older login, audit row. Vault ends the logins by
 * itself later; this acts only on a new definition or a request.
 */
export class VaultDynamicLogins extends VaultCredential<VaultDynamicConfig> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = vaultDynamicAsks;

  constructor(name: string, args: VaultDynamicLoginsArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("VaultDynamicLogins", name, args, opts);
    const { config, databases } = args;

    const preflight = this.createPreflight();
    const connected = databases.connect(config, this.begin(preflight));
    const proofs = this.createProofs(connected);
    const restarted = this.createRestarts(proofs.at(-1) ?? connected);
    const ended = this.createEnd(proofs, restarted.last);
    this.description = this.describe(ended);
    const audit = this.createAudit([preflight], ended);

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  /** One service after the other: a role, its policy, and a login that proves both. */
  private createProofs(connected: pulumi.Resource): local.Command[] {
    const proofs: local.Command[] = [];
    for (const service of this.args.config.restart) {
      proofs.push(this.createProof(service, this.createRole(service, proofs.at(-1) ?? connected)));
    }
    return proofs;
  }

  /** The role that a service's logins come from, and the policy that lets it request and renew them. */
  private createRole(service: string, dependsOn: pulumi.Resource): pulumi.Resource {
    const { config, databases } = this.args;
    const { mount, connection } = config.vault;
    const { defaultTtl, maxTtl, creation, revocation } = definitionOf(config);
    const role = leaseRoleOf(config, service);
    const made = new vault.database.SecretBackendRole(
      `${this.name}-role-${service}`,
      {
        backend: mount,
        name: role,
        dbName: connection,
        creationStatements: creation.slice(),
        revocationStatements: revocation.slice(),
        renewStatements: renewStatements(),
        defaultTtl: defaultTtl / 1000,
        maxTtl: maxTtl / 1000,
      },
      { parent: this, dependsOn, provider: databases.provider, retainOnDelete: true },
    );
    const rules = [
      { path: `${mount}/creds/${role}`, capabilities: ["read"] },
      { path: "sys/leases/renew", capabilities: ["update"] },
    ];
    const opts = { parent: this, dependsOn: made };
    return databases.policy(`${this.name}-policy-${service}`, config, rules, opts, service);
  }

  private createProof(service: string, dependsOn: pulumi.Resource): local.Command {
    const { config } = this.args;
    const role = leaseRoleOf(config, service);
    const input = { mount: config.vault.mount, role, owner: config.role, database: this.database };
    return this.createStep(`proof-${service}`, "lease-proof", input, dependsOn);
  }

  private createEnd(proofs: readonly local.Command[], dependsOn: After): local.Command {
    const input = { mount: this.args.config.vault.mount, proofs: proofs.map(answerOf) };
    return this.createStep("end-older", "lease-end-older", input, dependsOn);
  }

  private describe(ended: local.Command): pulumi.Output<Record<string, unknown>> {
    const { config, state, platform, databases } = this.args;
    const { kind, strategy, role, defaultTtl, maxTtl, restart } = config;
    const { mount, connection } = config.vault;
    const ofEach = (value: (service: string) => string) =>
      Object.fromEntries(restart.map((service) => [service, value(service)]));
    return answerOf(ended).apply(
      ({ ended: older }): Record<string, unknown> => ({
        kind,
        strategy,
        role,
        store: platform.store.kind,
        generation: activeGeneration(state),
        rotatedAt: state.rotatedAt,
        leases: {
          connection: `${mount}/${connection}`,
          defaultTtlSeconds: defaultTtl / 1000,
          maxTtlSeconds: maxTtl / 1000,
          paths: ofEach((service) => `${mount}/creds/${leaseRoleOf(config, service)}`),
          policies: ofEach((service) => databases.policyName(config, service)),
          endedOlder: older ?? {},
        },
        versions: [],
      }),
    );
  }
}
