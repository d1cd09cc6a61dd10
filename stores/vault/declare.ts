import type { StoreConfig } from "../../config";
import { annotate, writeEntries } from "../commands";
import type { AnnotateArgs, SecretStore, StoreReference, WriteArgs, WriteOptions } from "../store";

/** Vault's (or OpenBao's) KV v2: `<mount>/<environment>/<secret>`, key `value`; all other keys are their owners'. */
export class VaultStore implements SecretStore {
  readonly kind = "vault" as const;
  readonly reference: StoreReference;

  constructor(
    private readonly config: Extract<StoreConfig, { kind: "vault" }>,
    private readonly environment: string,
  ) {
    const { address, mount } = config;
    this.reference = { kind: "vault", mount, environment, ...(address === undefined ? {} : { address }) };
  }

  pathOf(secret: string): string {
    return `${this.config.mount}/${this.environment}/${secret}`;
  }

  write(name: string, args: WriteArgs, opts: WriteOptions) {
    return writeEntries(name, this.reference, args, opts);
  }

  annotate(name: string, args: AnnotateArgs, opts: WriteOptions) {
    return annotate(name, "metadata", this.reference, args, opts);
  }
}
