import * as z from "zod";
import { settings, text, type } from "../../../core/schema-parts";

/** Words joined by `/`, as mounts and namespaces have them. */
export const vaultPath = text(
  /^[\w.-]+(\/[\w.-]+)*$/,
  "expected words of letters, digits, -, _ or . joined by /, without one at the end",
);

export const absolutePath = text(/^\/./, "expected an absolute path, such as /etc/ssl/certs/vault.pem");

/** The namespace of the login's mount, if it is another one than that of the secrets. */
const namespace = vaultPath.optional();

const role = z.string().min(1, "expected the name of a role of that mount");

const approle = settings({
  /** AppRole: a role id and a secret id. `jwt`, `kubernetes`: a token that the platform gives to the run. */
  method: z.literal("approle"),
  /** The mount of the method. Default `approle`. */
  mount: vaultPath.default("approle"),
  /** Default: `store.namespace`. */
  namespace,
  /** The role's id; it is no secret. Its secret id is the secret config key `vaultSecretId`. */
  roleId: z.string().min(1),
});

const jwt = settings({
  /** A signed token of a CI system or an identity provider: JWT or OIDC. */
  method: z.literal("jwt"),
  /** The mount of the method. Default `jwt`. */
  mount: vaultPath.default("jwt"),
  /** Default: `store.namespace`. */
  namespace,
  /** The role of that mount. */
  role,
  /** On GitHub Actions: for whom the token is. Default: GitHub's own. The job needs `permissions: { id-token: write }`. */
  audience: z.string().min(1).optional(),
  /** The environment variable that has the token, such as GitLab's `VAULT_ID_TOKEN`. Default: the token is GitHub Actions'. */
  tokenVariable: text(/^[A-Za-z_]\w*$/, "expected the name of an environment variable").optional(),
  /** The file that has the token. Default: the token is GitHub Actions'. */
  tokenFile: absolutePath.optional(),
}).refine(({ tokenVariable, tokenFile }) => tokenVariable === undefined || tokenFile === undefined, {
  path: ["tokenFile"],
  error: "expected either tokenVariable or tokenFile, found both",
});

const kubernetes = settings({
  /** The service account of the pod. */
  method: z.literal("kubernetes"),
  /** The mount of the method. Default `kubernetes`. */
  mount: vaultPath.default("kubernetes"),
  /** Default: `store.namespace`. */
  namespace,
  /** The role of that mount. */
  role,
  /** Default `/var/run/secrets/kubernetes.io/serviceaccount/token`. */
  tokenFile: absolutePath.default("/var/run/secrets/kubernetes.io/serviceaccount/token"),
});

/** How a run gets a token of its own. */
export const auth = z.discriminatedUnion(
  "method",
  [approle, jwt, kubernetes],
  type("expected an object with method (approle, jwt or kubernetes)"),
);

export type VaultAuth = z.output<typeof auth>;
