import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../../cli/toolchain/project";
import type { Machine } from "./machine";

/** What a service of the proving ground is. */
export interface ServicePlan {
  readonly name: string;
  readonly port: number;
  readonly vault: {
    address: string;
    token: string;
    mount: string;
    username: string;
    password: string;
    /** File on this machine with the authorities of its TLS certificate. */
    ca: string | undefined;
  };
  /** The ways by which it reaches its database. */
  readonly paths: Readonly<Record<string, { host: string; port: number; database: string; options?: object }>>;
  /** Keys of the stack config beside `hosts` and `health`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** One login that a service tried. */
export interface Attempt {
  readonly t: number;
  readonly path: string;
  readonly user: string;
  readonly error?: string;
}

/** FastAPI with SQLAlchemy and hvac, as a unit of systemd on each of its hosts. */
export interface FieldService {
  readonly name: string;
  /** Entry of the config key `services`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether it is healthy on every host. */
  healthy(): Promise<boolean>;
  /** The login that it uses, by host. */
  users(): Promise<Record<string, string>>;
  /** When its process started, by host; "down" if it does not answer. */
  starts(): Promise<Record<string, string>>;
  /** Every login that it tried, on all hosts. */
  attempts(): Promise<Attempt[]>;
}

/** Installs the unit on the hosts and starts it. */
export async function placeService(plan: ServicePlan, machines: readonly Machine[]): Promise<FieldService> {
  const { name, port } = plan;
  const app = await readFile(join(projectRoot(), "test/field/services/app.py"), "utf8");
  const log = `/var/lib/${name}/attempts.jsonl`;
  const ca = plan.vault.ca === undefined ? undefined : await readFile(plan.vault.ca, "utf8");
  for (const machine of machines) {
    const vault = { ...plan.vault, ca: ca === undefined ? undefined : "/etc/vault-ca.pem" };
    if (ca !== undefined) await machine.write("/etc/vault-ca.pem", ca);
    const settings = { address: machine.address, port, vault, paths: plan.paths, attempts: log };
    await machine.write(`/opt/${name}/app.py`, app);
    await machine.write(`/etc/${name}.json`, JSON.stringify(settings), "0600");
    await machine.run(`mkdir -p /var/lib/${name}`);
    await machine.write(`/etc/systemd/system/${name}.service`, unit(name));
    await machine.run(`systemctl daemon-reload && systemctl enable --now ${name}`);
  }
  const health = async ({ address }: Machine) => {
    const answer = await fetch(`http://${address}:${port}/health`, { signal: AbortSignal.timeout(5000) });
    return (await answer.json()) as { status: string; user: string; started_at: string };
  };
  const each = async <T>(get: (machine: Machine) => Promise<T>) =>
    Object.fromEntries(await Promise.all(machines.map(async (machine) => [machine.name, await get(machine)] as const)));
  return {
    name,
    config: {
      hosts: machines.map((machine) => machine.name),
      health: `http://{address}:${port}/health`,
      ...plan.config,
    },
    healthy: async () => {
      const found = await Promise.all(machines.map((machine) => health(machine).catch(() => undefined)));
      return found.every((answer) => answer?.status === "healthy");
    },
    users: () => each(async (machine) => (await health(machine)).user),
    starts: () => each(async (machine) => (await health(machine).catch(() => undefined))?.started_at ?? "down"),
    attempts: async () =>
      (await Promise.all(machines.map((machine) => machine.run(`cat ${log}`))))
        .flatMap((text) => text.split("\n").filter((line) => line.endsWith("}")))
        .map((line) => JSON.parse(line) as Attempt),
  };
}

const unit = (name: string) => `[Unit]
Description=${name}
After=network.target

[Service]
Environment=PYTHONPATH=/opt/service/lib SETTINGS=/etc/${name}.json PYTHONUNBUFFERED=1
ExecStart=/usr/bin/python3 /opt/${name}/app.py
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`;
