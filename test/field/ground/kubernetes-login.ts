import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OpenBao } from "../../../dev/lab/openbao";
import type { Cluster } from "./kubernetes-cluster";

/** The account of the runs: deploy/kubernetes/service-account.yaml. */
export const RUNS = { name: "secret-rotation", namespace: "secret-rotation" };

/**
 * Lets the account of the runs log in to OpenBao: it asks the API server whose a token is (TokenReview), with an account of
 * its own.
 *
 * @returns the config key `store.auth`, for a file that has the account's token as a pod would
 */
export async function kubernetesLogin(dir: string, cluster: Cluster, vault: OpenBao): Promise<Record<string, string>> {
  const reviewer = { name: "vault", namespace: "kube-system" };
  await cluster.apply(
    { apiVersion: "v1", kind: "ServiceAccount", metadata: reviewer },
    {
      ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: { name: "vault" } },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
      subjects: [{ kind: "ServiceAccount", ...reviewer }],
    },
  );
  await vault.request("POST", "sys/auth/kubernetes", { type: "kubernetes" });
  await vault.request("POST", "auth/kubernetes/config", {
    ...{ kubernetes_host: cluster.address, kubernetes_ca_cert: await readFile(cluster.ca, "utf8") },
    ...{ token_reviewer_jwt: await tokenOf(cluster, reviewer), disable_local_ca_jwt: true },
  });
  await vault.request("POST", "auth/kubernetes/role/rotation", {
    ...{ bound_service_account_names: [RUNS.name], bound_service_account_namespaces: [RUNS.namespace] },
    ...{ token_policies: ["pipeline"], token_ttl: "20m", token_max_ttl: "1h" },
  });
  const tokenFile = join(dir, "account.token");
  await writeFile(tokenFile, await tokenOf(cluster, RUNS), { mode: 0o600 });
  return { method: "kubernetes", role: "rotation", tokenFile };
}

/** A token as a pod of this account gets it. */
export async function tokenOf(cluster: Cluster, { name, namespace }: typeof RUNS): Promise<string> {
  return (await cluster.kubectl(["create", "token", name, "-n", namespace, "--duration=8h"])).trim();
}
