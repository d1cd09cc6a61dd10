import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { After } from "../../components/after";
import { stepCommand } from "../../components/step-command";
import { slugOf } from "../../core/resource-names";
import { sessionEnvironment } from "../../stores";
import { type StoreReference, schemaOf } from "../../stores/schemas";
import type { DeclaredIn } from "../kind";
import { allowedRoles, connectionUrl, isMadeByVault, MOUNT_DESCRIPTION, type VaultPasswordConfig } from "./engine";
import { seeLeftMounts } from "./left-mounts";

export interface VaultDatabasesArgs {
  readonly provider: vault.Provider;
  /** How a step reaches Vault. */
  readonly reference: StoreReference;
  readonly environment: string;
  /** Every secret that Vault makes: a connection allows the roles of all that share it. */
  readonly secrets: readonly VaultPasswordConfig[];
  /** The password of Vault's own login, by the connection's name. */
  readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Mounts of a first update that was interrupted before they were saved: they are adopted. */
  readonly leftMounts?: ReadonlySet<string>;
}

/**
 * Vault's database secrets engine as one stack uses it: mounts and connections, each declared once, by the first secret
 * that needs it. All of it stays in Vault when it is removed from the stack: services read from it.
 */
export class VaultDatabases {
  private readonly mounts = new Map<string, pulumi.Resource>();
  private readonly connections = new Map<string, pulumi.Resource>();

  constructor(private readonly args: VaultDatabasesArgs) {}

  get provider(): vault.Provider {
    return this.args.provider;
  }

  /** How a step reaches Vault. */
  get reference(): StoreReference {
    return this.args.reference;
  }

  /**
   * The connection of a secret, with its own login's password changed if the config says so. What is made in it
   * depends on the result.
   *
   * @param dependsOn what comes before the connection is made, if no other secret has made it already.
   */
  connect(secret: VaultPasswordConfig, dependsOn: After): pulumi.Resource {
    const { mount, connection } = secret.vault;
    const key = `${mount}-${connection}`;
    const known = this.connections.get(key);
    if (known !== undefined) return known;
    const made = this.rotateRoot(secret, this.createConnection(secret, this.mount(secret, dependsOn)));
    this.connections.set(key, made);
    return made;
  }

  /** The mount of a secret; what it depends on if the mount is not this stack's. */
  mount({ vault: { mount, createMount } }: VaultPasswordConfig, dependsOn: After): After {
    if (!createMount) return dependsOn;
    const known = this.mounts.get(mount);
    if (known !== undefined) return known;
    const made = new vault.Mount(
      `vault-mount-${mount}`,
      { path: mount, type: "database", description: MOUNT_DESCRIPTION },
      {
        provider: this.provider,
        dependsOn,
        retainOnDelete: true,
        ...(this.args.leftMounts?.has(mount) ? { import: mount } : {}),
      },
    );
    this.mounts.set(mount, made);
    return made;
  }

  /** The name of the policy that lets services read a secret, or that of one service if each has its own. */
  policyName({ name, vault: { policy } }: VaultPasswordConfig, service?: string): string {
    const own = policy ?? `${this.args.environment}-${slugOf(name)}`;
    return service === undefined ? own : `${own}-${service}`;
  }

  /** Lets services only read a path. */
  policy(
    name: string,
    secret: VaultPasswordConfig,
    rules: readonly { readonly path: string; readonly capabilities: readonly string[] }[],
    opts: { readonly parent: pulumi.Resource; readonly dependsOn: pulumi.Resource },
    service?: string,
  ): vault.Policy {
    const text = rules.map(
      ({ path, capabilities }) => `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`,
    );
    return new vault.Policy(
      name,
      { name: this.policyName(secret, service), policy: `${text.join("\n")}\n` },
      { ...opts, provider: this.provider, retainOnDelete: true },
    );
  }

  private createConnection(secret: VaultPasswordConfig, dependsOn: After): pulumi.Resource {
    const { mount, connection, username } = secret.vault;
    const password = this.args.passwords[connection];
    return new vault.database.SecretBackendConnection(
      `vault-connection-${mount}-${connection}`,
      {
        backend: mount,
        name: connection,
        allowedRoles: allowedRoles(this.args.secrets, secret),
        verifyConnection: true,
        postgresql: {
          connectionUrl: connectionUrl(secret),
          username,
          ...(password === undefined ? {} : { password }),
          // Vault sends a verifier: otherwise the server's log would show the password.
          passwordAuthentication: "scram-sha-256",
        },
      },
      { provider: this.provider, dependsOn, retainOnDelete: true },
    );
  }

  private rotateRoot({ vault: own }: VaultPasswordConfig, dependsOn: pulumi.Resource): pulumi.Resource {
    const { mount, connection, username, rotateRoot } = own;
    if (!rotateRoot) return dependsOn;
    return stepCommand(
      `vault-rotate-root-${mount}-${connection}`,
      {
        step: "vault-rotate-root",
        input: { store: this.reference, mount, connection },
        trigger: username,
        runOnInputChange: false,
      },
      { dependsOn },
    );
  }
}

/** One for each program: the first secret that Vault makes creates it, the others share it. */
const opened = new WeakMap<DeclaredIn["platform"], Promise<VaultDatabases>>();

/** The engine as the config's secrets use it. */
export function vaultDatabasesOf(stack: DeclaredIn): Promise<VaultDatabases> {
  const known = opened.get(stack.platform);
  if (known !== undefined) return known;
  const made = openVaultDatabases(stack);
  opened.set(stack.platform, made);
  return made;
}

async function openVaultDatabases({ config, platform, isKnown }: DeclaredIn): Promise<VaultDatabases> {
  const { reference } = platform.store;
  const server = schemaOf(reference).vault(reference);
  if (server === undefined) throw new Error("the config's checks must have asked for a store of the kind vault");
  const { address, namespace, caCert } = server;
  const { VAULT_TOKEN: token } = await sessionEnvironment();
  const secrets = config.secrets.filter(isMadeByVault);
  return new VaultDatabases({
    // The token stays in the environment of the run (VAULT_TOKEN), as do namespace and authorities (VAULT_NAMESPACE,
    // VAULT_CACERT): in the arguments it would be in the state. Only that of a login of this program has no other way to the
    // plugin: it is revoked when the program ends.
    provider: new vault.Provider("vault", {
      ...(address === undefined ? {} : { address }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(caCert === undefined ? {} : { caCertFile: caCert }),
      ...(token === undefined ? {} : { token: pulumi.secret(token) }),
      skipChildToken: true,
    } as vault.ProviderArgs),
    reference,
    environment: config.environment,
    secrets,
    passwords: Object.fromEntries(
      Object.entries(config.connectionPasswords).map(([name, password]) => [name, pulumi.secret(password)]),
    ),
    leftMounts: await seeLeftMounts(secrets, isKnown, reference),
  });
}
