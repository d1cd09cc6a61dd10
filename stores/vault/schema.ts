import * as z from "zod";
import { httpUrl, settings } from "../../core/schema-parts";
import { absolutePath, auth, vaultPath } from "./login/schema";

const config = settings({
  /** Which store: HashiCorp Vault or OpenBao. */
  kind: z.literal("vault"),
  /** Default: the environment's VAULT_ADDR. */
  address: httpUrl.optional(),
  /** The KV v2 mount. Its path may contain `/`. Default `secret`. A change writes every secret to the new mount. */
  mount: vaultPath.default("secret"),
  /** The namespace of the mount and of all that this stack makes. Default: the environment's VAULT_NAMESPACE, else none. */
  namespace: vaultPath.optional(),
  /** A file with the authorities that sign Vault's certificate (PEM). Default: the environment's VAULT_CACERT and others. */
  caCert: absolutePath.optional(),
  /**
   * How a run logs in to Vault: it gets a token of its own, which is revoked when the run ends. VAULT_TOKEN in the
   * environment takes precedence. Default: VAULT_TOKEN, else ~/.vault-token.
   */
  auth: auth.optional(),
});

const reference = z.object({
  kind: z.literal("vault"),
  address: z.string().optional(),
  mount: z.string(),
  environment: z.string(),
  namespace: z.string().optional(),
  caCert: z.string().optional(),
  /** Set if runs log in: names the run's session, from which a step gets its token. */
  session: z.string().optional(),
});

export type VaultConfig = z.output<typeof config>;
export type VaultReference = z.output<typeof reference>;

/** The KV v2 of Vault (or OpenBao): `<mount>/<environment>/<path>`, key `value` or keys of the config's choice; all other keys are their owners'. */
export const vaultSchema = {
  kind: "vault",
  config,
  reference,
  referenceOf: (
    { address, mount, namespace, caCert, auth: login }: VaultConfig,
    environment: string,
    stack: string = environment,
  ): VaultReference => ({
    kind: "vault",
    mount,
    environment,
    ...(address === undefined ? {} : { address }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(caCert === undefined ? {} : { caCert }),
    ...(login === undefined ? {} : { session: stack }),
  }),
  placeOf: ({ mount, environment }: VaultReference, path: string) => `${mount}/${environment}/${path}`,
  /** Without an address the environment's is used. */
  host: ({ address }: VaultConfig) => (address === undefined ? "localhost" : new URL(address).hostname),
  onlyInLab: () => [],
  loginProblem: ({ auth: login }: VaultConfig, secretId: string | undefined) => {
    if ((login?.method === "approle") === (secretId !== undefined)) return undefined;
    return secretId === undefined
      ? "expected the secret id of the AppRole in store.auth, found nothing: `pulumi config set --secret vaultSecretId`"
      : "expected only with store.auth of the method approle; remove this key";
  },
  vault: ({ address, namespace, caCert, ...rest }: VaultConfig | VaultReference) => ({
    address,
    namespace,
    caCert,
    session: "session" in rest ? rest.session : undefined,
  }),
  marks: "metadata",
  plugins: ["vault"],
  /** Of earlier versions of this program; this one writes by steps. */
  resources: {
    "vault:kv/secretV2:SecretV2": { phase: "store", holdsCredential: true },
    "vault:kv/secret:Secret": { phase: "store", holdsCredential: true },
    "vault:generic/endpoint:Endpoint": { phase: "settle" },
  },
} as const;
