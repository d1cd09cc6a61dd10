import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PollAbort, poll } from "./poll";
import { onFreePort } from "./ports";
import { logTail, startProcess } from "./processes";

/** What {@link startOpenBao} takes. */
export interface OpenBaoOptions {
  /** Folder of the lab; log, audit log and configuration go there. */
  dir: string;
  /** Path of the `bao` binary. */
  bin: string;
  /** KV v2 mount made at the start; "secret" by default. */
  mount?: string;
}

/** An initialised, unsealed OpenBao server on loopback (HTTP, in memory), which speaks Vault's API. */
export interface OpenBao {
  /** `http://127.0.0.1:PORT`, for VAULT_ADDR. */
  readonly address: string;
  readonly rootToken: string;
  /** Opens it again after {@link seal}. */
  readonly unsealKey: string;
  readonly mount: string;
  /** Every request and answer, with the values hashed. */
  readonly auditFile: string;
  readonly logFile: string;
  /** Seals it: from then on it answers 503. */
  seal(): Promise<void>;
  /** Opens it again. */
  unseal(): Promise<void>;
  /**
   * Writes the policy under `name` and returns a token that has it (valid for a day), and the policies `more`, which may
   * be written later.
   */
  createToken(name: string, policy: string, more?: readonly string[]): Promise<string>;
  /** A new version at `<mount>/data/<path>`; returns its number. */
  putSecret(path: string, data: Record<string, unknown>): Promise<number>;
  /** The newest version at `<mount>/data/<path>`, or undefined. */
  getSecret(path: string): Promise<StoredSecret | undefined>;
  /** Any request of the API with the root token, such as `request("GET", "sys/mounts")`. Throws unless the answer is 2xx. */
  request(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Stops the server; what it held is gone. */
  stop(): Promise<void>;
}

/** One version of a KV v2 secret. */
export interface StoredSecret {
  data: Record<string, unknown>;
  version: number;
}

/** An answer of the API that is not 2xx. */
export class OpenBaoError extends Error {
  constructor(
    readonly status: number,
    request: string,
    answer: string,
  ) {
    super(`${request}: HTTP ${status} ${answer.trim()}`);
  }
}

/** Starts `bao server` on a free port, initialises and unseals it, and mounts KV v2 (about half a second). */
export function startOpenBao(options: OpenBaoOptions): Promise<OpenBao> {
  return onFreePort((port) => startOn(port, options));
}

async function startOn(port: number, options: OpenBaoOptions): Promise<OpenBao> {
  const mount = options.mount ?? "secret";
  const address = `http://127.0.0.1:${port}`;
  const [logFile, auditFile, config] = ["openbao.log", "openbao-audit.log", "openbao.hcl"].map((name) =>
    join(options.dir, name),
  ) as [string, string, string];
  await writeFile(config, configuration(port, auditFile), { mode: 0o600 });
  const server = await startProcess({ command: options.bin, args: ["server", `-config=${config}`], logFile });

  let token = "";
  const request = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method,
      headers: token ? { "X-Vault-Token": token } : {},
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new OpenBaoError(answer.status, `${method} ${path}`, text);
    return text ? (JSON.parse(text) as Record<string, unknown>) : {};
  };
  await poll(
    async () => {
      const end = server.ended();
      if (end) throw new PollAbort(new Error(`OpenBao ended with ${end}:\n${logTail(logFile)}`));
      return (await fetch(`${address}/v1/sys/health`)).status === 501; // Up, not initialised yet.
    },
    { what: `OpenBao on ${address}`, limitMs: 60_000 },
  );
  const made = await request("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 });
  const [key = ""] = made.keys_base64 as string[];
  const unseal = async (): Promise<void> => {
    await request("PUT", "sys/unseal", { key });
    await poll(async () => (await fetch(`${address}/v1/sys/health`)).ok, { what: "OpenBao unsealed", limitMs: 60_000 });
  };
  await unseal();
  token = made.root_token as string;
  await ensureAudit(request, auditFile);
  await request("POST", `sys/mounts/${mount}`, { type: "kv", options: { version: "2" } });
  await poll(() => request("GET", `${mount}/config`), { what: `KV v2 at ${mount}/`, limitMs: 60_000 });

  return {
    address,
    rootToken: token,
    unsealKey: key,
    mount,
    auditFile,
    logFile,
    request,
    unseal,
    seal: async () => void (await request("PUT", "sys/seal")),
    ...requestsOf(request, mount),
    async stop() {
      await server.stop();
      await rm(config, { force: true });
    },
  };
}

/** What the lab does by the API, whoever answers. */
export function requestsOf(
  request: OpenBao["request"],
  mount: string,
): Pick<OpenBao, "createToken" | "putSecret" | "getSecret"> {
  return {
    async createToken(name, policy, more = []) {
      await request("PUT", `sys/policies/acl/${name}`, { policy });
      const policies = [name, ...more];
      const { auth } = await request("POST", "auth/token/create", { policies, ttl: "24h", no_parent: true });
      return (auth as { client_token: string }).client_token;
    },
    async putSecret(path, data) {
      const answer = await request("POST", `${mount}/data/${path}`, { data });
      return (answer.data as { version: number }).version;
    },
    async getSecret(path) {
      try {
        const { data } = (await request("GET", `${mount}/data/${path}`)) as unknown as KvAnswer;
        return { data: data.data, version: data.metadata.version };
      } catch (error) {
        if (error instanceof OpenBaoError && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}

// OpenBao takes the device from its configuration; HashiCorp's Vault knows it only by request.
async function ensureAudit(request: OpenBao["request"], file: string): Promise<void> {
  const { data } = await request("GET", "sys/audit");
  if (Object.keys((data as object | undefined) ?? {}).length > 0) return;
  await request("PUT", "sys/audit/lab", { type: "file", options: { file_path: file } });
}

interface KvAnswer {
  data: { data: Record<string, unknown>; metadata: { version: number } };
}

function configuration(port: number, auditFile: string): string {
  return `
storage "inmem" {}
listener "tcp" {
  address     = "127.0.0.1:${port}"
  tls_disable = true
}
api_addr      = "http://127.0.0.1:${port}"
log_level     = "warn"
disable_mlock = true
audit "file" "lab" {
  options {
    file_path = "${auditFile}"
  }
}
`;
}
