import { labConfig } from "../../../dev/lab/deploy";
import { type FaultProxy, startFaultProxy } from "../../../dev/lab/fault-proxy";
import { startTcpProxy, type TcpProxy } from "../../../dev/lab/tcp-proxy";
import { type Bench, type BenchOptions, startBench } from "../harness";

/** A bench whose pipeline reaches every server through a proxy that can fail; the services reach them directly. */
export interface World extends Bench {
  readonly vault: FaultProxy;
  readonly postgres: TcpProxy;
  /** The same server, as the audit log's database. */
  readonly audit: TcpProxy;
  readonly ssh: TcpProxy;
  /** Further variables of the run; they stay until they are changed. */
  readonly variables: Record<string, string>;
  stop(): Promise<void>;
}

/** How long a restarted service may take. */
const TIMEOUT = "15s";

export async function startWorld(options: BenchOptions = {}): Promise<World> {
  const { lab, stack } = await startBench(options);
  const [host] = lab.hosts;
  if (host === undefined) throw new Error("the lab has no host");
  const vault = await startFaultProxy(lab.openbao.address);
  const [postgres, audit, ssh] = await Promise.all([lab.postgres, lab.postgres, host].map((server) => tcpTo(server)));
  const world = { vault, postgres, audit, ssh } as Pick<World, "vault" | "postgres" | "audit" | "ssh">;
  const stop = async () => {
    await Promise.all(Object.values(world).map((proxy) => proxy.stop()));
    await lab.stop();
  };
  try {
    for (const [key, value] of Object.entries(throughProxies({ lab, stack }, options, world))) {
      await stack.configure(key, value);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const variables: Record<string, string> = { VAULT_ADDR: vault.url };
  const pulumi: Bench["stack"]["pulumi"] = (args, run = {}) =>
    stack.pulumi(args, { ...run, env: { ...variables, ...run.env } });
  return { lab, stack: { ...stack, pulumi }, ...world, variables, stop };
}

const tcpTo = (server: { readonly address?: string; readonly host?: string; readonly port: number }) =>
  startTcpProxy({ host: server.address ?? server.host ?? "127.0.0.1", port: server.port });

/** The config keys that name a server, with the proxies in their places. */
function throughProxies(
  { lab }: Bench,
  options: BenchOptions,
  { postgres, audit, ssh }: Pick<World, "postgres" | "audit" | "ssh">,
): Record<string, unknown> {
  const config = labConfig({ lab, ...options });
  const secrets = (config.secrets as Record<string, unknown>[]).map((secret) =>
    "database" in secret ? { ...secret, database: { ...(secret.database as object), port: postgres.port } } : secret,
  );
  const hosts = Object.entries(lab.config.hosts).map(([name, host]) => [name, { ...host, port: ssh.port }]);
  const services = Object.entries(lab.config.services).map(([name, service]) => [
    name,
    { ...service, timeout: TIMEOUT },
  ]);
  const { host, database: name } = lab.postgres;
  return {
    secrets,
    hosts: Object.fromEntries(hosts),
    services: Object.fromEntries(services),
    audit: { host, port: audit.port, name, sslmode: "disable" },
  };
}
