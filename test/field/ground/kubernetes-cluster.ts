import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { logTail, type ManagedProcess, startProcess } from "../../../dev/lab/processes";
import { clusterPrograms } from "./binaries";

/** Kubernetes' own API server, controllers and scheduler, with etcd; its nodes and pods are kwok's, which runs nothing. */
export interface Cluster {
  readonly address: string;
  /** File with the authority of its certificate. */
  readonly ca: string;
  /** For `KUBECONFIG`: an account that may do everything. */
  readonly kubeconfig: string;
  /** Runs `kubectl` as that account and returns what it printed. Throws if it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Applies objects. */
  apply(...objects: readonly object[]): Promise<void>;
  /** Writes a kubeconfig, for an account that has this token. */
  login(name: string, token: string, namespace: string): Promise<string>;
  stop(): Promise<void>;
}

/** Nodes that pods are scheduled to. */
const NODES = ["node-1", "node-2"];

export async function startCluster(dir: string): Promise<Cluster> {
  const bin = await clusterPrograms();
  const running: ManagedProcess[] = [];
  const stop = async () => {
    for (const process of running.splice(0).reverse()) await process.stop(10_000);
  };
  const start = async (name: string, args: Record<string, string>) => {
    const flags = Object.entries(args).map(([flag, value]) => `--${flag}=${value}`);
    const logFile = join(dir, `${name}.log`);
    running.push(await startProcess({ command: join(bin, name), args: flags, logFile }));
    return logFile;
  };
  try {
    return { ...(await assemble(dir, bin, start)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Has the API server serve the definitions of a file or folder, `name` among them. */
export async function define({ kubectl }: Pick<Cluster, "kubectl">, from: string, name: string): Promise<void> {
  await kubectl(["apply", "--server-side", "-f", from]);
  // At first a definition has no conditions, which `kubectl wait` takes for an error.
  await poll(() => kubectl(["wait", "--for=condition=Established", `crd/${name}`]), {
    ...{ what: `the API server serves ${name}`, limitMs: 60_000 },
  });
}

type Start = (name: string, args: Record<string, string>) => Promise<string>;

async function assemble(dir: string, bin: string, start: Start): Promise<Omit<Cluster, "stop">> {
  const [etcd, peer, port] = [await freePort(), await freePort(), await freePort()];
  const at = (number: number) => `http://127.0.0.1:${number}`;
  await start("etcd", {
    "data-dir": join(dir, "etcd"),
    ...{ "listen-client-urls": at(etcd), "advertise-client-urls": at(etcd) },
    ...{
      "listen-peer-urls": at(peer),
      "initial-advertise-peer-urls": at(peer),
      "initial-cluster": `default=${at(peer)}`,
    },
  });
  const [admin, key, tokens] = [randomBytes(24).toString("hex"), join(dir, "accounts.key"), join(dir, "tokens.csv")];
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(key, privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  await writeFile(tokens, `${admin},admin,1,"system:masters"\n`, { mode: 0o600 });
  const address = `https://127.0.0.1:${port}`;
  const log = await start("kube-apiserver", {
    "etcd-servers": at(etcd),
    ...{ "bind-address": "127.0.0.1", "secure-port": String(port), "cert-dir": dir, "token-auth-file": tokens },
    ...{ "service-account-issuer": address, "service-account-key-file": key, "service-account-signing-key-file": key },
    ...{ "authorization-mode": "Node,RBAC", "service-cluster-ip-range": "10.0.0.0/24", "allow-privileged": "true" },
    "endpoint-reconciler-type": "none",
    // Debian's etcd cannot say how far a watch has come: clients that begin with a watch would wait ever longer between two.
    "feature-gates": "WatchList=false",
  });
  const ca = join(dir, "apiserver.crt");
  const login: Cluster["login"] = async (name, token, namespace) => {
    const file = join(dir, `${name}.kubeconfig`);
    const [cluster, user] = ["field", name];
    const content = {
      ...{ apiVersion: "v1", kind: "Config", "current-context": "field" },
      clusters: [{ name: cluster, cluster: { server: address, "certificate-authority": ca } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: "field", context: { cluster, user, namespace } }],
    };
    await writeFile(file, stringify(content), { mode: 0o600 });
    return file;
  };
  const kubeconfig = await login("admin", admin, "default");
  const kubectl: Cluster["kubectl"] = async (args, input) => {
    const options = input === undefined ? ({ stdin: "ignore" } as const) : { input };
    const { stdout } = await execa("kubectl", [...args], { ...options, env: { KUBECONFIG: kubeconfig } });
    return stdout;
  };
  const apply: Cluster["apply"] = async (...objects) => {
    await kubectl(
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      objects.map((one) => JSON.stringify(one)).join("\n"),
    );
  };
  await poll(async () => (await kubectl(["get", "--raw", "/readyz"])) === "ok", {
    what: `the API server (its log: ${logTail(log)})`,
    limitMs: 120_000,
  });
  await start("kube-controller-manager", {
    ...{ kubeconfig, "service-account-private-key-file": key, "root-ca-file": ca, "leader-elect": "false" },
    ...{ "bind-address": "127.0.0.1", "secure-port": String(await freePort()), "cert-dir": join(dir, "controllers") },
    // kwok never makes a pod ready again that was marked for the late sign of life of its node.
    "node-monitor-grace-period": "10h",
  });
  await start("kube-scheduler", {
    ...{ kubeconfig, "leader-elect": "false", "bind-address": "127.0.0.1" },
    ...{ "secure-port": String(await freePort()), "cert-dir": join(dir, "scheduler") },
  });
  await start("kwok", {
    ...{ kubeconfig, "manage-all-nodes": "true", config: await stages(dir, bin) },
    "server-address": `127.0.0.1:${await freePort()}`,
  });
  await apply(...NODES.map(node));
  await kubectl(["wait", "--for=condition=Ready", "--timeout=60s", ...NODES.map((name) => `node/${name}`)]);
  return { address, ca, kubeconfig, kubectl, apply, login };
}

async function stages(dir: string, bin: string): Promise<string> {
  const files = (await readdir(bin)).filter((name) => /^(node|pod)-.*\.yaml$/.test(name));
  const file = join(dir, "stages.yaml");
  await writeFile(file, (await Promise.all(files.map((name) => readFile(join(bin, name), "utf8")))).join("\n---\n"));
  return file;
}

const node = (name: string) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
  status: { allocatable: { cpu: "8", memory: "16Gi", pods: "50" }, capacity: { cpu: "8", memory: "16Gi", pods: "50" } },
});
