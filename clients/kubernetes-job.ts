import { readFileSync } from "node:fs";
import { join } from "node:path";
import { httpWith } from "./http";

/** Where Kubernetes puts a pod's account: `token`, `namespace`, `ca.crt`. */
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The part of a Job's status (batch/v1) that says whether a pod of it may still run. */
export interface JobStatus {
  readonly active?: number;
  readonly terminating?: number;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Whether a Job is over and has no pod left that may still run; a pod on a node that is lost is left. Pure. */
export const jobHasEnded = ({ active = 0, terminating = 0, conditions = [] }: JobStatus): boolean =>
  active === 0 &&
  terminating === 0 &&
  conditions.some(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");

/** The Job of a pod by its host name: `JOB-xxxxx`, or `JOB-3` for an index. Undefined for a name of another shape. */
export const jobOfHost = (host: string): string | undefined => /^([a-z0-9][a-z0-9-]*)-[a-z0-9]+$/.exec(host)?.[1];

/**
 * Whether the Job of a pod is over, as this pod's own cluster says. False if that cannot be seen: outside of a cluster, without
 * the right to get Jobs (deploy/kubernetes/jobs.yaml), and for a host that is no pod of this namespace.
 *
 * @param account the folder of this pod's account
 */
export async function podHasEnded(
  host: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
  account = ACCOUNT,
): Promise<boolean> {
  const { KUBERNETES_SERVICE_HOST: server, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  const job = jobOfHost(host);
  if (!server || job === undefined) return false;
  try {
    const [token = "", namespace = "", ca = ""] = ["token", "namespace", "ca.crt"].map((file) =>
      readFileSync(join(account, file), "utf8").trim(),
    );
    const at = server.includes(":") ? `[${server}]` : server;
    const http = await httpWith({ ca });
    const { status } = await http(`https://${at}:${port}/apis/batch/v1/namespaces/${namespace}/jobs/${job}`, {
      headers: { authorization: `Bearer ${token}` },
      timeout: { request: 10_000 },
    }).json<{ status?: JobStatus }>();
    return jobHasEnded(status ?? {});
  } catch {
    // Then its process may be alive.
    return false;
  }
}
