import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { StoreConfig } from "../../config";
import type { AnnotateArgs, SecretStore, StoreReference, WriteArgs, WriteOptions } from "../secret-store";
import { stepCommand } from "../step-command";

/** Vault's (or OpenBao's) KV v2: `<mount>/<environment>/<secret>`, field `value`. */
export class VaultStore implements SecretStore {
  readonly kind = "vault" as const;
  readonly reference: StoreReference;
  readonly provider: vault.Provider;

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

  write(name: string, { entries, generation, request, trigger }: WriteArgs, { parent, dependsOn }: WriteOptions) {
    const last = entries.reduce<pulumi.Resource>(
      (before, { path, value }) =>
        new vault.kv.SecretV2(
          `${name}-${path.replaceAll("/", "-")}`,
          {
            mount: this.config.mount,
            name: `${this.environment}/${path}`,
            dataJson: pulumi.jsonStringify({
              value,
              ...(entries.length === 1 ? {} : { generation: pulumi.output(generation).apply(String) }),
              ...(request === undefined ? {} : { request }),
            }),
          },
          // Deleting a version here would take the rollback copy with it.
          { parent, dependsOn: before, provider: this.provider, retainOnDelete: true },
        ),
      dependsOn,
    );
    return stepCommand(
      `${name}-read-back`,
      { step: "read-back", input: { store: this.reference, entries: [...entries] }, trigger },
      { parent, dependsOn: last },
    );
  }

  annotate(name: string, { marks }: AnnotateArgs, { parent, dependsOn }: WriteOptions): pulumi.Resource {
    return marks.reduce<pulumi.Resource>(
      (before, { path, says }) =>
        // Not the metadata of `SecretV2`: a change there writes a new version of the data.
        new vault.generic.Endpoint(
          `${name}-${path.replaceAll("/", "-")}-metadata`,
          {
            path: `${this.config.mount}/metadata/${this.environment}/${path}`,
            dataJson: pulumi.jsonStringify({ custom_metadata: says }),
            ignoreAbsentFields: true,
            disableDelete: true,
            disableRead: true,
          },
          { parent, dependsOn: before, provider: this.provider },
        ),
      dependsOn,
    );
  }
}
