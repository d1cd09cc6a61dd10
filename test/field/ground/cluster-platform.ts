import { join } from "node:path";
import { LAB_START } from "../../../dev/lab/deploy";
import { environmentOf } from "../../../dev/lab/lab-config";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { createPipelineLogin } from "../../../dev/lab/pipeline-login";
import { seedDatabase } from "../../../dev/lab/platform";
import { deployFile } from "../../../dev/lab/policies";
import { poll } from "../../../dev/lab/poll";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { vaultBackend } from "../../../dev/lab/secret-backend";
import { randomSecret } from "../../../dev/lab/secrets";
import { createStack, type Stack } from "../../../dev/lab/stack";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { type Cluster, startCluster } from "./kubernetes-cluster";
import { kubernetesLogin, RUNS, tokenOf } from "./kubernetes-login";
import { type PodLogin, type Pods, startPods } from "./pods";
import { inScene, type Scene } from "./scene";

/** A platform whose services are Deployments. */
export interface ClusterPlatform {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly pods: Pods;
  readonly postgres: Postgres;
  readonly vault: OpenBao;
  readonly stack: Stack;
  /** An update that must succeed. Returns what it printed. */
  done(): Promise<string>;
  /** An update that must fail. Returns what it printed. */
  refused(): Promise<string>;
  /** The logins of its pods that failed. */
  failed(): PodLogin[];
  /** Stopped with the rest, before it. */
  also(stop: () => Promise<unknown>): void;
  stop(): Promise<void>;
}

/** What {@link startClusterPlatform} takes. */
export interface ClusterPlatformOptions {
  /** Each Deployment with keys of its config beside `health`, and the Kubernetes Secret that its pods read; default: the store. */
  readonly services: Readonly<Record<string, { config: Readonly<Record<string, unknown>>; secret?: string }>>;
  /** How a run logs in to OpenBao: with a token of the lab (by default), or with its service account's. */
  readonly login?: "kubernetes";
  /** What the cluster gets before the Deployments. */
  readonly prepare?: (
    platform: Pick<ClusterPlatform, "dir" | "cluster" | "postgres" | "vault" | "also">,
  ) => Promise<void>;
}

export const NAMESPACE = "trading";
const ENVIRONMENT = "paper";
const DATABASE = {
  ...{ name: "trader", role: "trader", secretName: "database/password" },
  document: { username: "user", password: "pass", others: { owner: "platform" } },
};

/** Starts a cluster, servers, Deployments, and a stack that has never run. */
export const startClusterPlatform = (options: ClusterPlatformOptions): Promise<ClusterPlatform> =>
  inScene((scene) => assemble(scene, options));

async function assemble(
  { dir, started, also }: Scene,
  { services, prepare, login }: ClusterPlatformOptions,
): Promise<Omit<ClusterPlatform, "stop">> {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const postgres = await started(startPostgres({ dir, settings: { log_connections: "on" } }));
  const vault = await started(startOpenBao({ dir, bin: tools.openbao?.path ?? "bao" }));
  const store = await vaultBackend(vault, ENVIRONMENT);
  const seeded = { environment: ENVIRONMENT, postgres, store, secret: randomSecret };
  const adopted = await seedDatabase(seeded as Parameters<typeof seedDatabase>[0], DATABASE);
  const pipeline = await createPipelineLogin(postgres, [DATABASE], randomSecret("pipeline"));
  const cluster = await started(startCluster(dir));
  await cluster.apply(namespace(NAMESPACE));
  // What deploy/kubernetes gives the pipeline, as it is there.
  for (const file of ["namespace", "service-account", "restarts"])
    await cluster.kubectl(["apply", "-f", "-"], deployFile(`kubernetes/${file}.yaml`));
  await prepare?.({ dir, cluster, postgres, vault, also });

  const names = Object.keys(services);
  const fromStore = async () => {
    const found = await vault.getSecret(`${ENVIRONMENT}/${DATABASE.secretName}`);
    return { user: String(found?.data.user), password: String(found?.data.pass) };
  };
  const fromSecret = async (name: string) => {
    const { data } = JSON.parse(await cluster.kubectl(["get", "secret", name, "-n", NAMESPACE, "-o", "json"]));
    const text = (key: string) => Buffer.from(data[key], "base64").toString();
    return { user: text("DB_USER"), password: text("DB_PASSWORD") };
  };
  const credentials = names.map((name) => {
    const secret = services[name]?.secret;
    return [name, secret === undefined ? fromStore : () => fromSecret(secret)] as const;
  });
  const reach = { host: postgres.host, port: postgres.port, name: DATABASE.name };
  const pods = await started(startPods(cluster, NAMESPACE, reach, Object.fromEntries(credentials)));
  await cluster.apply(...names.map(deployment));
  await poll(() => names.every((name) => Object.keys(pods.users(name)).length === 2), {
    what: "two pods of each Deployment",
    limitMs: 60_000,
  });
  const kubeconfig = await cluster.login("rotation", await tokenOf(cluster, RUNS), NAMESPACE);
  const auth = login === "kubernetes" ? { auth: await kubernetesLogin(dir, cluster, vault) } : undefined;
  const stack = await createStack({
    dir: join(dir, "stack"),
    stack: ENVIRONMENT,
    env: {
      ...tools.env,
      ...environmentOf(postgres, pipeline),
      ...store.env,
      ...(auth && { VAULT_TOKEN: "" }),
      KUBECONFIG: kubeconfig,
    },
    config: {
      environment: ENVIRONMENT,
      store: { ...store.config, ...auth },
      services: Object.fromEntries(
        names.map((name) => [name, { health: pods.health(name), ...services[name]?.config }]),
      ),
      secrets: [
        {
          kind: "postgres-password",
          name: DATABASE.secretName,
          database: { host: postgres.host, port: postgres.port, name: DATABASE.name, sslmode: "disable" },
          role: DATABASE.role,
          restart: names,
          ...{ format: "json", keys: { username: "user", password: "pass" } },
        },
      ],
      // Without a broker there is no clock of the market.
      preflight: { allowOpenMarket: true },
      lab: { clock: LAB_START.toISOString() },
    },
    secrets: { adopted: JSON.stringify({ [DATABASE.secretName]: adopted }) },
  });
  const update = (succeeds: boolean) => async () => {
    const { exitCode, stdout, stderr } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
    if ((exitCode === 0) !== succeeds)
      throw new Error(`expected an update that ${succeeds ? "succeeds" : "fails"}, found:\n${stdout}${stderr}`);
    return stdout + stderr;
  };
  const failed = () => pods.logins.filter(({ error }) => error !== undefined);
  return { dir, cluster, pods, postgres, vault, stack, also, failed, done: update(true), refused: update(false) };
}

const namespace = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

const deployment = (name: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: NAMESPACE },
  spec: {
    ...{ replicas: 2, progressDeadlineSeconds: 45, selector: { matchLabels: { app: name } } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        ...{ terminationGracePeriodSeconds: 1, automountServiceAccountToken: false },
        containers: [{ name: "service", image: "registry.trading.internal/service:1" }],
      },
    },
  },
});
