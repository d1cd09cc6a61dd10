import { createServer } from "node:http";
import pg from "pg";
import { freePort } from "../../../dev/lab/ports";
import type { Postgres } from "../../../dev/lab/postgres";
import type { Cluster } from "./kubernetes-cluster";

/** One login that a pod tried. */
export interface PodLogin {
  readonly pod: string;
  readonly user: string;
  readonly error?: string;
}

interface Credential {
  readonly user: string;
  readonly password: string;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status: { readonly phase: string; readonly startTime?: string };
}

/** What runs in the pods of kwok, which runs nothing itself. */
export interface Pods {
  /** The address of a service's health. */
  health(service: string): string;
  /** The login of each pod of a service that runs. */
  users(service: string): Record<string, string>;
  readonly logins: readonly PodLogin[];
  stop(): Promise<void>;
}

/** Milliseconds between two logins of a pod, and between two looks at the cluster. */
const PAUSE = 250;

/**
 * A program for each pod of a namespace that the cluster says is running: it takes its credential once, when its pod starts,
 * and logs in with it again and again until its pod ends.
 *
 * @param credentials where the pods of a service take theirs
 */
export async function startPods(
  cluster: Cluster,
  namespace: string,
  postgres: Pick<Postgres, "host" | "port"> & { readonly name: string },
  credentials: Readonly<Record<string, () => Promise<Credential>>>,
): Promise<Pods> {
  const running = new Map<string, { service: string; credential: Credential; startedAt: string; ok: boolean }>();
  const logins: PodLogin[] = [];
  let stopping = false;
  const tryLogin = async (pod: string) => {
    const found = running.get(pod);
    if (found === undefined) return;
    const { user, password } = found.credential;
    const { host, port, name: database } = postgres;
    const client = new pg.Client({ host, port, database, user, password, connectionTimeoutMillis: 5000 });
    client.on("error", () => undefined);
    const error = await client.connect().then(
      () => undefined,
      (reason: Error) => reason.message,
    );
    await client.end().catch(() => undefined);
    found.ok = error === undefined;
    logins.push({ pod, user, ...(error === undefined ? {} : { error }) });
  };
  const look = async () => {
    const { items } = JSON.parse(await cluster.kubectl(["get", "pods", "-n", namespace, "-o", "json"])) as {
      items: Pod[];
    };
    const alive = items.filter(
      ({ metadata, status }) => status.phase === "Running" && metadata.deletionTimestamp === undefined,
    );
    for (const name of [...running.keys()])
      if (!alive.some(({ metadata }) => metadata.name === name)) running.delete(name);
    for (const { metadata, status } of alive) {
      const service = metadata.labels.app ?? "";
      if (running.has(metadata.name)) continue;
      const credential = await credentials[service]?.();
      if (credential !== undefined)
        running.set(metadata.name, { service, credential, startedAt: status.startTime ?? "", ok: false });
    }
  };
  const loop = (async () => {
    while (!stopping) {
      await look().catch(() => undefined);
      await Promise.all([...running.keys()].map(tryLogin));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  })();
  const of = (service: string) => [...running].filter(([, pod]) => pod.service === service);
  const port = await freePort();
  const server = createServer((request, response) => {
    const pods = of((request.url ?? "").slice(1)).map(([, pod]) => pod);
    const users = [...new Set(pods.map(({ credential }) => credential.user))];
    const healthy = pods.length > 0 && pods.every(({ ok }) => ok);
    const started = pods.map(({ startedAt }) => startedAt).sort();
    const body = { status: healthy ? "healthy" : "unhealthy", started_at: started.at(-1) ?? "", user: users.join(",") };
    response.writeHead(healthy ? 200 : 503, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    health: (service) => `http://127.0.0.1:${port}/${service}`,
    users: (service) => Object.fromEntries(of(service).map(([name, { credential }]) => [name, credential.user])),
    logins,
    stop: async () => {
      stopping = true;
      await loop;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
