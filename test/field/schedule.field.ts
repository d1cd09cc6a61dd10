import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clearLocks } from "../../cli/operate/recover";
import { asYaml, type KubernetesSchedule, kubernetesManifests } from "../../cli/operate/schedule/kubernetes";
import { podHasEnded } from "../../clients/kubernetes-job";
import { poll } from "../../dev/lab/poll";
import { withoutKubernetes } from "./ground/binaries";
import { type Cluster, startCluster } from "./ground/kubernetes-cluster";
import { RUNS, tokenOf } from "./ground/kubernetes-login";

const missing = await withoutKubernetes();

const ABOUT: KubernetesSchedule = {
  stacks: Array.from({ length: 100 }, (_, index) => `prod-${index}`),
  form: "cronjobs",
  image: "registry.trading.internal/secret-rotation:0.1.0",
  namespace: RUNS.namespace,
  schedule: "0 * * * *",
  timezone: "America/New_York",
  parallel: 10,
  name: "prod-*",
};

describe.skipIf(missing !== undefined)(
  `A schedule of many stacks in a Kubernetes whose pods are kwok's${missing ? `: ${missing}` : ""}`,
  () => {
    let dir: string;
    let cluster: Cluster;
    const here = ["-n", RUNS.namespace];
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), "rotation-schedule-"));
      cluster = await startCluster(dir);
      const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
      await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: RUNS.namespace, labels } });
    });
    afterAll(async () => {
      await cluster?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    /** The account of a pod, as its container has it. */
    async function accountOf(): Promise<string> {
      const folder = await mkdtemp(join(dir, "account-"));
      await writeFile(join(folder, "token"), await tokenOf(cluster, RUNS), { mode: 0o600 });
      await writeFile(join(folder, "namespace"), RUNS.namespace);
      await copyFile(cluster.ca, join(folder, "ca.crt"));
      return folder;
    }
    const podOf = async (job: string) => {
      const pod = ["get", "pods", "-l", `job-name=${job}`, "-o", "jsonpath={.items[*].metadata.name}", ...here];
      await poll(async () => (await cluster.kubectl(pod)) !== "", { what: `a pod of ${job}`, limitMs: 60_000 });
      return cluster.kubectl(pod);
    };

    it.each(["cronjobs", "indexed"] as const)("the API server takes %s for a hundred stacks", async (form) => {
      const text = asYaml(kubernetesManifests({ ...ABOUT, form }));
      const said = await cluster.kubectl(["apply", "--dry-run=server", "-f", "-"], text);
      expect(said.match(/cronjob\.batch\/\S+ created \(server dry run\)/g)?.length).toBe(form === "indexed" ? 1 : 100);
      await expect(
        cluster.kubectl(["apply", "--dry-run=server", "-f", "-"], text.replaceAll(" * * * *", " 25 * * *")),
      ).rejects.toThrow(/schedule/);
    });

    it("a lock is cleared once the Job of its pod is over, and not before", async () => {
      await cluster.kubectl(["apply", "-f", "-"], asYaml(kubernetesManifests({ ...ABOUT, stacks: ["prod-1"] })));
      const address = new URL(cluster.address);
      const env = { KUBERNETES_SERVICE_HOST: address.hostname, KUBERNETES_SERVICE_PORT: address.port };
      const account = await accountOf();
      const from = ["create", "job", "--from=cronjob/secret-rotation-prod-1", ...here];

      await cluster.kubectl(["cordon", "node-1", "node-2"]);
      await cluster.kubectl([...from, "secret-rotation-prod-1-29600000"]);
      const host = await podOf("secret-rotation-prod-1-29600000");
      const lock = { hostname: host, username: "rotation", pid: 17, timestamp: "2026-11-30T02:00:00Z" };
      let cancelled = 0;
      const engine = { cancel: async () => void cancelled++ };
      const clear = () => clearLocks(engine, [lock], { dir, stack: "prod-1" }, (one) => podHasEnded(one, env, account));
      await expect(clear()).rejects.toThrow(/the stack is being updated by rotation@secret-rotation-prod-1-29600000-/);

      await cluster.kubectl(["uncordon", "node-1", "node-2"]);
      const over = ["get", "job", "secret-rotation-prod-1-29600000", "-o", "jsonpath={.status.conditions}", ...here];
      await poll(async () => /"(?:Complete|Failed)"/.test(await cluster.kubectl(over)), {
        ...{ what: "the end of the Job", limitMs: 120_000 },
      });
      expect(await podHasEnded("secret-rotation-prod-1-29600001-abcde", env, account)).toBe(false);
      await cluster.kubectl(["delete", "rolebinding", "secret-rotation-jobs", ...here]);
      await expect(clear()).rejects.toThrow(/the stack is being updated by/);
      await cluster.kubectl(["apply", "-f", "-"], asYaml(kubernetesManifests({ ...ABOUT, stacks: ["prod-1"] })));
      expect(cancelled).toBe(0);
      await poll(async () => podHasEnded(host, env, account), { what: "the right to see the Job", limitMs: 30_000 });
      expect(await clear()).toEqual([
        expect.stringContaining("cleared the lock that rotation@secret-rotation-prod-1-"),
      ]);
      expect(cancelled).toBe(1);
    });

    it("a host's name in an index of a Job is the Job's with the index", async () => {
      const stacks = ABOUT.stacks.slice(0, 3);
      const [job] = kubernetesManifests({ ...ABOUT, stacks, form: "indexed", parallel: 2 }).slice(-1);
      await cluster.apply(job as object);
      const { name } = (job as { metadata: { name: string } }).metadata;
      await cluster.kubectl(["create", "job", `--from=cronjob/${name}`, `${name}-29600000`, ...here]);
      const done = ["get", "job", `${name}-29600000`, "-o", "jsonpath={.status.completedIndexes}", ...here];
      await poll(async () => (await cluster.kubectl(done)) === "0-2", { what: "its three indexes", limitMs: 120_000 });
      const hosts = await cluster.kubectl([
        ...["get", "pods", "-l", `job-name=${name}-29600000`, "-o", "jsonpath={.items[*].spec.hostname}", ...here],
      ]);
      expect(hosts.split(" ").toSorted()).toEqual([0, 1, 2].map((index) => `${name}-29600000-${index}`));
      const address = new URL(cluster.address);
      const env = { KUBERNETES_SERVICE_HOST: address.hostname, KUBERNETES_SERVICE_PORT: address.port };
      expect(await podHasEnded(`${name}-29600000-2`, env, await accountOf())).toBe(true);
    });
  },
);
