import { createHmac, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { type ManagedProcess, startProcess } from "../../../dev/lab/processes";
import { resolveToolchain } from "../../../dev/toolchain/resolve";

/** The answer of a request. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An account of {@link Synapse}. */
export interface Account {
  /** `@name:localhost` */
  readonly id: string;
  readonly name: string;
  readonly password: string;
}

/** How many logins it takes from one address, and after how many seconds another one. */
interface Limit {
  readonly logins: number;
  readonly everySeconds: number;
}

/** Matrix Synapse, a chat server, with its data in SQLite. It issues access tokens, which end by a logout. */
export interface Synapse {
  readonly url: string;
  /** One request of its API. */
  ask(method: string, path: string, token?: string, body?: unknown): Promise<Answer>;
  /** Makes an account. */
  account(name: string, options?: { readonly admin?: boolean }): Promise<Account>;
  /** A new access token of an account. */
  login(account: Account, device: string): Promise<string>;
  logout(token: string): Promise<void>;
  /** Whether it accepts a token. */
  accepts(token: string): Promise<boolean>;
  /** Ends the server until {@link up}. */
  down(): Promise<void>;
  /** Starts it at the same address; by default without a limit. */
  up(limit?: Limit): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it, from PyPI, on a free loopback port. The first call installs it into the toolchain's cache. */
export async function startSynapse(parent: string): Promise<Synapse> {
  const { synapse } = await resolveToolchain({ need: ["synapse"] });
  if (synapse === undefined) throw new Error("the toolchain has no Synapse");
  const dir = join(parent, "synapse");
  await mkdir(dir, { mode: 0o700 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const secret = randomBytes(16).toString("hex");
  const file = join(dir, "homeserver.yaml");
  const logFile = join(dir, "synapse.log");
  const args = ["--config-path", file];
  let server: ManagedProcess | undefined;

  const ask: Synapse["ask"] = async (method, path, token, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: answer.status, body: (await answer.json()) as Answer["body"] };
  };
  const logout: Synapse["logout"] = async (token) => void (await fine("POST", "/_matrix/client/v3/logout", token));
  const fine = async (...request: Parameters<Synapse["ask"]>) => {
    const { status, body } = await ask(...request);
    if (status !== 200)
      throw new Error(`${request[0]} ${request[1]} of Synapse: HTTP ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const up: Synapse["up"] = async (limit) => {
    await writeFile(file, JSON.stringify(settings({ dir, port, secret }, limit)), { mode: 0o600 });
    server = await startProcess({ command: synapse.path, args, cwd: dir, logFile });
    await poll(async () => (await fetch(`${url}/health`)).ok, {
      ...{ what: `Synapse on ${url} (its log: ${logFile})`, limitMs: 60_000 },
    });
  };
  const down = async () => server?.stop();

  await writeFile(file, JSON.stringify(settings({ dir, port, secret })), { mode: 0o600 });
  const keys = await startProcess({ command: synapse.path, args: [...args, "--generate-keys"], cwd: dir, logFile });
  await keys.exited;
  await up();
  return {
    url,
    ask,
    up,
    down,
    stop: down,
    account: async (name, { admin = false } = {}) => {
      const password = randomBytes(16).toString("hex");
      const path = "/_synapse/admin/v1/register";
      const { nonce } = await fine("GET", path);
      const mac = createHmac("sha1", secret)
        .update([nonce, name, password, admin ? "admin" : "notadmin"].join("\0"))
        .digest("hex");
      const { access_token } = await fine("POST", path, undefined, { nonce, username: name, password, admin, mac });
      // It logs a new account in, which nobody asked for.
      await logout(String(access_token));
      return { id: `@${name}:localhost`, name, password };
    },
    login: async ({ name, password }, device) => {
      const { access_token } = await fine("POST", "/_matrix/client/v3/login", undefined, {
        ...{ type: "m.login.password", identifier: { type: "m.id.user", user: name }, password, device_id: device },
      });
      return String(access_token);
    },
    logout,
    accepts: async (token) => (await ask("GET", "/_matrix/client/v3/account/whoami", token)).status === 200,
  };
}

function settings({ dir, port, secret }: { dir: string; port: number; secret: string }, limit?: Limit) {
  const unlimited = { per_second: 1000, burst_count: 1000 };
  const logins = limit && { per_second: 1 / limit.everySeconds, burst_count: limit.logins };
  return {
    server_name: "localhost",
    listeners: [
      { port, type: "http", bind_addresses: ["127.0.0.1"], resources: [{ names: ["client"], compress: false }] },
    ],
    database: { name: "sqlite3", args: { database: join(dir, "homeserver.db") } },
    media_store_path: join(dir, "media"),
    signing_key_path: join(dir, "signing.key"),
    pid_file: join(dir, "synapse.pid"),
    ...{ registration_shared_secret: secret, macaroon_secret_key: secret, form_secret: secret },
    ...{ report_stats: false, trusted_key_servers: [] },
    rc_message: unlimited,
    rc_login: { address: logins ?? unlimited, account: unlimited, failed_attempts: unlimited },
  };
}
