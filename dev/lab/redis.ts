import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { passwordHash } from "../../kinds/redis-password/acl";
import { PollAbort, poll } from "./poll";
import { onFreePort } from "./ports";
import { logTail, type ManagedProcess, startProcess } from "./processes";
import type { SecretGenerator } from "./secrets";

/** A server of the lab's Redis. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** The lines of its ACL file; empty if it has none. */
  acl(): Promise<string>;
  /** Sends a command as an administrator of everything. */
  ask<T = string>(...command: string[]): Promise<T>;
  /** Ends it, and starts it again with what is on its disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A primary and its replicas, on loopback. */
export interface Redis {
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  /** The user that services log in with. */
  readonly user: string;
  /** Path of its password in the store, below the environment. */
  readonly secretName: string;
  /** Its password at the start. */
  readonly password: string;
  /** The pipeline's own user, with the rights of docs/redis.md. */
  readonly admin: string;
  readonly adminPassword: string;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Its files are below it. */
  readonly dir: string;
  readonly secret: SecretGenerator;
  /** Default 1. */
  readonly replicas?: number;
  /** Default `app`. */
  readonly user?: string;
  /** Default `redis/password`. */
  readonly secretName?: string;
  /** Whether the servers have an ACL file. Default true. */
  readonly aclFile?: boolean;
  /** The server's program with its first arguments. Default: this machine's. */
  readonly server?: readonly string[];
  /** Files of TLS, if the servers speak that alone. Clients need a certificate of the same authority. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

const BINARIES = ["/usr/bin/redis-server", "/usr/bin/valkey-server", "/usr/local/bin/redis-server"];

/** Why the lab can have no Redis; undefined if it can. */
export const noRedis = (): string | undefined =>
  BINARIES.some(existsSync) ? undefined : `${BINARIES[0]} is missing: apt-get install redis-server`;

/** The rights of the pipeline's own user, as docs/redis.md has them. */
export const ADMIN_RIGHTS =
  "-@all +acl|getuser +acl|setuser +acl|dryrun +acl|save +client|id +client|list +client|kill +config|get +config|rewrite +info";

const [ROOT, ADMIN, REPLICATION] = ["lab_root", "rotation", "replication"];

/** Starts all servers on free ports. @throws Error with the end of a log */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  const { dir, secret, replicas = 1, user = "app", secretName = "redis/password", aclFile = true } = options;
  const { tls, server = BINARIES.filter(existsSync).slice(0, 1) } = options;
  const password = secret(`redis ${user}`);
  const [root, adminPassword, replication] = [ROOT, ADMIN, REPLICATION].map((name) => secret(`redis ${name}`));
  if (root === undefined || adminPassword === undefined || replication === undefined)
    throw new Error("three passwords");
  const users = {
    default: "off",
    // No rule of channels, which Redis 6.0 does not know.
    [ROOT]: `on #${passwordHash(root)} ~* +@all`,
    [ADMIN]: `on #${passwordHash(adminPassword)} ${ADMIN_RIGHTS}`,
    [REPLICATION]: `on #${passwordHash(replication)} +psync +replconf +ping`,
    // Of few rights, as it should be: nothing but its own keys.
    [user]: `on #${passwordHash(password)} ~app:* +get +set +ping`,
  };
  const running: Node[] = [];
  const stop = async () => void (await Promise.all(running.map((node) => node.stop())));
  try {
    for (let number = 0; number <= replicas; number++) {
      const masterLogin = ["masteruser", REPLICATION, "masterauth", replication];
      running.push(
        await Node.start({ dir: join(dir, `redis-${number}`), server, root, users, masterLogin, aclFile, tls }),
      );
    }
    const [primary, ...others] = running;
    if (primary === undefined) throw new Error("no server");
    for (const node of others) await node.ask("REPLICAOF", primary.host, String(primary.port));
    await poll(async () => (await primary.ask("INFO", "replication")).includes(`connected_slaves:${replicas}`), {
      what: `${replicas} replicas`,
      limitMs: 20_000,
    });
    return { nodes: [primary, ...others], user, secretName, password, admin: ADMIN, adminPassword, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface NodeOptions extends Pick<RedisOptions, "dir" | "tls"> {
  readonly server: readonly string[];
  readonly root: string;
  /** Settings with which it logs in to a primary. */
  readonly masterLogin: readonly string[];
  readonly users: Readonly<Record<string, string>>;
  readonly aclFile: boolean;
}

class Node implements RedisNode {
  readonly host = "127.0.0.1";
  private process: ManagedProcess | undefined;

  private constructor(
    private readonly options: NodeOptions,
    readonly port: number,
  ) {}

  static async start(options: NodeOptions): Promise<Node> {
    const { dir, users, aclFile, tls } = options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return onFreePort(async (port) => {
      const lines = Object.entries(users).map(([name, rules]) => `user ${name} ${rules}`);
      const settings = [
        ...["bind 127.0.0.1", `dir ${dir}`, 'save ""', "appendonly no", "repl-diskless-sync-delay 0"],
        ...(tls === undefined
          ? [`port ${port}`]
          : [
              "port 0",
              `tls-port ${port}`,
              `tls-ca-cert-file ${tls.ca}`,
              `tls-cert-file ${tls.cert}`,
              `tls-key-file ${tls.key}`,
              "tls-replication yes",
            ]),
        ...(aclFile ? [`aclfile ${join(dir, "users.acl")}`] : lines),
      ];
      if (aclFile) await writeFile(join(dir, "users.acl"), `${lines.join("\n")}\n`, { mode: 0o600 });
      await writeFile(join(dir, "redis.conf"), `${settings.join("\n")}\n`, { mode: 0o600 });
      const node = new Node(options, port);
      await node.begin();
      return node;
    });
  }

  private async begin(): Promise<void> {
    const { dir, masterLogin } = this.options;
    const [command = "", ...args] = this.options.server;
    const logFile = join(dir, "redis.log");
    const server = await startProcess({ command, args: [...args, join(dir, "redis.conf")], cwd: dir, logFile });
    this.process = server;
    await poll(
      async () => {
        const end = server.ended();
        if (end) throw new PollAbort(new Error(`Redis ended with ${end}:\n${logTail(logFile)}`));
        return (await this.ask("PING")) === "PONG";
      },
      { what: `Redis on ${this.port} (its log: ${logFile})`, limitMs: 20_000 },
    );
    // Not in a file: nothing on the lab's disk holds a credential. One setting at a time, as Redis 6 takes them.
    for (let at = 0; at < masterLogin.length; at += 2)
      await this.ask("CONFIG", "SET", ...masterLogin.slice(at, at + 2));
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  acl = () => readFile(join(this.options.dir, "users.acl"), "utf8").catch(() => "");

  async ask<T = string>(...command: string[]): Promise<T> {
    const { tls, root } = this.options;
    const files = tls && {
      tls: true as const,
      ...Object.fromEntries(
        await Promise.all(Object.entries(tls).map(async ([name, path]) => [name, await readFile(path)])),
      ),
    };
    const client = createClient({
      ...{ username: ROOT, password: root, RESP: 2, disableClientInfo: true },
      socket: { host: this.host, port: this.port, reconnectStrategy: false, connectTimeout: 5000, ...files },
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return (await client.sendCommand(command)) as T;
    } finally {
      client.destroy();
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.begin();
  }

  stop = async (): Promise<void> => this.process?.stop();
}
