import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { StoreConfig } from "../config";
import { stepCommand } from "./step-command";

/** One value and where it is kept, such as `database/password`. */
export interface StoreEntry {
  readonly path: string;
  readonly value: pulumi.Input<string>;
}

export interface WriteArgs {
  readonly entries: readonly StoreEntry[];
  /** Kept beside values that belong together, so that a reader can tell whether it read a pair. */
  readonly generation: pulumi.Input<number>;
  /** The activation the write belongs to. */
  readonly trigger: pulumi.Input<string>;
}

/** A place that services read secrets from. */
export interface SecretStore {
  readonly kind: StoreConfig["kind"];
  /** What a step needs to reach the store; no credential among it. */
  readonly reference: StoreReference;
  /** Where a secret is kept, as the store's users write it. */
  pathOf(secret: string): string;
  /**
   * Writes the entries, one after the other, and reads all of them back. What comes after depends on the result, which
   * prints the versions written.
   */
  write(name: string, args: WriteArgs, opts: { parent: pulumi.Resource; dependsOn: pulumi.Resource }): local.Command;
}

/** How a step reaches a store. */
export interface StoreReference {
  readonly kind: "vault";
  readonly address?: string;
  readonly mount: string;
  readonly environment: string;
}

/** Vault's (or OpenBao's) KV v2: `<mount>/<environment>/<secret>`, field `value`. */
export class VaultStore implements SecretStore {
  readonly kind = "vault" as const;
  readonly reference: StoreReference;
  private readonly provider: vault.Provider;

  constructor(
    private readonly config: Extract<StoreConfig, { kind: "vault" }>,
    private readonly environment: string,
  ) {
    const { address, mount } = config;
    this.reference = { kind: "vault", mount, environment, ...(address === undefined ? {} : { address }) };
    // The token stays in the environment of the run (VAULT_TOKEN): in the arguments it would be in the state.
    this.provider = new vault.Provider("vault", {
      ...(address === undefined ? {} : { address }),
      skipChildToken: true,
    } as vault.ProviderArgs);
  }

  pathOf(secret: string): string {
    return `${this.config.mount}/${this.environment}/${secret}`;
  }

  write(
    name: string,
    { entries, generation, trigger }: WriteArgs,
    opts: { parent: pulumi.Resource; dependsOn: pulumi.Resource },
  ) {
    const { parent } = opts;
    const last = entries.reduce<pulumi.Resource>(
      (dependsOn, { path, value }) =>
        new vault.kv.SecretV2(
          `${name}-${path.replaceAll("/", "-")}`,
          {
            mount: this.config.mount,
            name: `${this.environment}/${path}`,
            dataJson: pulumi.jsonStringify(
              entries.length === 1 ? { value } : { value, generation: pulumi.output(generation).apply(String) },
            ),
          },
          // Deleting a version here would take the rollback copy with it.
          { parent, dependsOn, provider: this.provider, retainOnDelete: true },
        ),
      opts.dependsOn,
    );
    return stepCommand(
      `${name}-read-back`,
      { step: "read-back", input: { store: this.reference, entries: [...entries] }, trigger },
      { parent, dependsOn: last },
    );
  }
}

/** The store that the config names. */
export function createStore(config: StoreConfig, environment: string): SecretStore {
  return new VaultStore(config, environment);
}
