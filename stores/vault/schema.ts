import * as z from "zod";
import { httpUrl, name, settings } from "../../core/schema-parts";

const config = settings({
  /** Which store: HashiCorp Vault or OpenBao. */
  kind: z.literal("vault"),
  /** Default: the environment's VAULT_ADDR. The token is always the environment's (VAULT_TOKEN or ~/.vault-token). */
  address: httpUrl.optional(),
  /** The KV v2 mount. Default `secret`. A change writes every secret to the new mount. */
  mount: name.default("secret"),
});

const reference = z.object({
  kind: z.literal("vault"),
  address: z.string().optional(),
  mount: z.string(),
  environment: z.string(),
});

export type VaultConfig = z.output<typeof config>;
export type VaultReference = z.output<typeof reference>;

/** The KV v2 of Vault (or OpenBao): `<mount>/<environment>/<path>`, key `value` or keys of the config's choice; all other keys are their owners'. */
export const vaultSchema = {
  kind: "vault",
  config,
  reference,
  referenceOf: ({ address, mount }: VaultConfig, environment: string): VaultReference => ({
    kind: "vault",
    mount,
    environment,
    ...(address === undefined ? {} : { address }),
  }),
  placeOf: ({ mount, environment }: VaultReference, path: string) => `${mount}/${environment}/${path}`,
  /** Without an address the environment's is used. */
  host: ({ address }: VaultConfig) => (address === undefined ? "localhost" : new URL(address).hostname),
  onlyInLab: () => [],
  vault: ({ address }: VaultConfig | VaultReference) => ({ address }),
  marks: "metadata",
  plugins: ["vault"],
  /** Of earlier versions of this program; this one writes by steps. */
  resources: {
    "vault:kv/secretV2:SecretV2": { phase: "store", holdsCredential: true },
    "vault:kv/secret:Secret": { phase: "store", holdsCredential: true },
    "vault:generic/endpoint:Endpoint": { phase: "settle" },
  },
} as const;
