import { basename, join } from "node:path";
import { freePort } from "../../../dev/lab/ports";
import { type ManagedProcess, startProcess } from "../../../dev/lab/processes";
import { type ClusterPlatform, type ClusterPlatformOptions, NAMESPACE, startClusterPlatform } from "./cluster-platform";

/** A platform of one Deployment, whose pods read the Kubernetes Secret `trader` that an operator writes. */
export interface SyncedService extends ClusterPlatform {
  /** In the Deployment's namespace. */
  kubectl(...args: string[]): Promise<string>;
  /** Of the Deployment: how often it was changed. */
  generation(): Promise<string>;
  /** The logins of its pods. */
  users(): string[];
  /** Requests something of the secret. */
  requested(id: string, what: object): Promise<void>;
}

const SERVICE = "signal-service";

/** Starts it, with an operator that `prepare` starts. @param sync the operator's object, as the config names it */
export async function startSyncedService(
  sync: Readonly<Record<"externalSecret", string>> | Readonly<Record<"vaultStaticSecret", string>>,
  prepare: NonNullable<ClusterPlatformOptions["prepare"]>,
): Promise<SyncedService> {
  const keys = { "database/password": { user: "DB_USER", pass: "DB_PASSWORD" } };
  const config = {
    timeout: "90s",
    proof: { field: "user", shows: "username" },
    kubernetes: { namespace: NAMESPACE, sync: { ...sync, timeout: "40s", keys } },
  };
  const platform = await startClusterPlatform({ services: { [SERVICE]: { secret: "trader", config } }, prepare });
  const kubectl = (...args: string[]) => platform.cluster.kubectl([...args, "-n", NAMESPACE]);
  return {
    ...platform,
    kubectl,
    generation: () => kubectl("get", "deployment", SERVICE, "-o", "jsonpath={.metadata.generation}"),
    users: () => [...new Set(Object.values(platform.pods.users(SERVICE)))],
    requested: (id, what) =>
      platform.stack.configure("request", { id, secret: "database/password", ...what, reason: "a test" }),
  };
}

/** Starts an operator as the cluster's administrator. @param args its arguments, for two free ports */
export async function startOperator(
  { dir, cluster }: Pick<ClusterPlatform, "dir" | "cluster">,
  command: string,
  args: (ports: readonly [number, number]) => string[],
): Promise<ManagedProcess> {
  return startProcess({
    ...{ command, args: args([await freePort(), await freePort()]), logFile: join(dir, `${basename(command)}.log`) },
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
  });
}
