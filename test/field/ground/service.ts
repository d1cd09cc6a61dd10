import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../../cli/toolchain/project";
import type { Machine } from "./machine";

/** A way to a database, as libpq takes it. */
export interface ServicePath {
  readonly host: string;
  /** Several, joined by commas, beside as many hosts. */
  readonly port: number | string;
  readonly database: string;
  /** Such as `{ sslmode: "verify-full" }`. */
  readonly options?: Readonly<Record<string, string>>;
}

/** What a service of the proving ground is. */
export interface ServicePlan {
  readonly name: string;
  readonly port: number;
  readonly vault: {
    address: string;
    token: string;
    mount: string;
    namespace?: string | undefined;
    username: string;
    password: string;
    /** File on this machine with the authorities of its TLS certificate. */
    ca: string | undefined;
  };
  /** The ways by which it reaches its database. */
  readonly paths: Readonly<Record<string, ServicePath>>;
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

/** A service that runs on one host or several. */
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

/** The private CA's file on every host. */
const CA = "/etc/platform-ca.pem";

const trusting = (paths: ServicePlan["paths"]) =>
  Object.fromEntries(
    Object.entries(paths).map(([name, path]) => {
      const trust = path.options?.sslmode === undefined ? {} : { sslrootcert: CA };
      return [name, { ...path, options: { ...path.options, ...trust } }];
    }),
  );

/** FastAPI with SQLAlchemy and hvac, as a unit of systemd on each of its hosts. */
export async function placeService(plan: ServicePlan, machines: readonly Machine[]): Promise<FieldService> {
  const { paths } = plan;
  const ca = await readFile(join(projectRoot(), "test/tls/ca.pem"), "utf8");
  for (const machine of machines) await machine.write(CA, ca);
  const vault = { ...plan.vault, ca: plan.vault.ca === undefined ? undefined : CA };
  return placeProgram({ ...plan, program: "app.py", settings: { vault, paths: trusting(paths) } }, machines);
}

/** What {@link placeProgram} takes. */
export interface Program extends Pick<ServicePlan, "name" | "port" | "config"> {
  /** Of `test/field/services`, in Python. */
  readonly program: string;
  /** What it needs beside an address, its port and its file of attempts. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A program as a unit of systemd on each of its hosts. */
export async function placeProgram(of: Program, machines: readonly Machine[]): Promise<FieldService> {
  const { name, port } = of;
  const program = await readFile(join(projectRoot(), "test/field/services", of.program), "utf8");
  const log = `/var/lib/${name}/attempts.jsonl`;
  for (const machine of machines) {
    const settings = { address: machine.address, port, attempts: log, ...of.settings };
    await machine.write(`/opt/${name}/app.py`, program);
    await machine.write(`/etc/${name}.json`, JSON.stringify(settings), "0600");
    await machine.run(`mkdir -p /var/lib/${name}`);
    await machine.write(`/etc/systemd/system/${name}.service`, unit(name));
    await machine.run(`systemctl daemon-reload && systemctl enable --now ${name}`);
  }
  return observed({
    name,
    config: { health: `http://{address}:${port}/health`, ...of.config },
    places: machines.map((machine) => ({ name: machine.name, health: `http://${machine.address}:${port}/health` })),
    log: async () => (await Promise.all(machines.map((machine) => machine.run(`cat ${log}`)))).join("\n"),
  });
}

/** What an answer of a service says. */
export interface Health {
  readonly healthy: boolean;
  readonly user: string;
  readonly started: string;
}

/** What {@link observed} takes. */
export interface Observed {
  readonly name: string;
  /** Keys of the config beside `hosts`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly places: readonly { readonly name: string; readonly health: string }[];
  /** Reads an answer; by default `{ status, user, started_at }`. */
  readonly read?: (url: string) => Promise<Health>;
  /** The lines of its logins. */
  readonly log: () => Promise<string>;
}

/** A service that runs, as the tests see it. */
export function observed({ name, config, places, read = asJson, log }: Observed): FieldService {
  const each = async <T>(get: (url: string) => Promise<T>) =>
    Object.fromEntries(await Promise.all(places.map(async (place) => [place.name, await get(place.health)] as const)));
  return {
    name,
    config: { hosts: places.map((place) => place.name), ...config },
    healthy: async () =>
      (await Promise.all(places.map(({ health }) => read(health).catch(() => undefined)))).every(
        (answer) => answer?.healthy,
      ),
    users: () => each(async (url) => (await read(url)).user),
    starts: () => each(async (url) => (await read(url).catch(() => undefined))?.started ?? "down"),
    attempts: async () => attemptsIn(await log()),
  };
}

/** The logins that a file of attempts has. */
export const attemptsIn = (text: string): Attempt[] =>
  text.split("\n").flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as Attempt] : []));

/** The document at an address. */
export async function get<T>(url: string): Promise<T> {
  return (await (await fetch(url, { signal: AbortSignal.timeout(5000) })).json()) as T;
}

async function asJson(url: string): Promise<Health> {
  const { status, user, started_at } = await get<{ status: string; user: string; started_at: string }>(url);
  return { healthy: status === "healthy", user, started: started_at };
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
