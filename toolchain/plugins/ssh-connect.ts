import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectConfig, ServerHostKeyAlgorithm, Client as SshClient } from "ssh2";
import type { ResourceContext } from "./provider";
import { isObject, type Json, type Properties } from "./values";

/** The client to work with, and the one to the proxy behind it when there is one. */
export type Connections = [SshClient, ...SshClient[]];

/**
 * Opens an SSH connection as the inputs of a remote command describe it. Repeats a failed dial up to `dialErrorLimit`
 * times (-1: without end). `perDialTimeout` is for the TCP connection alone: as the real plugin, it waits for ever for a
 * host that takes the connection and says nothing.
 */
export async function connect(connection: Properties, context: ResourceContext): Promise<Connections> {
  const limit = number(connection.dialErrorLimit, 10);
  const address = `${connection.host}:${number(connection.port, 22)}`;
  await assertReadableKey(connection);
  for (let failed = 0, wait = 100; ; failed++, wait = Math.min(wait * 1.5, 5_000)) {
    try {
      return await dial(connection, address);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (limit >= 0 && failed >= limit) throw new Error(`after ${failed} failed attempts: ${reason}`);
      context.log(`Dial ${failed + 1}/${limit < 0 ? "inf" : limit} failed: retrying`);
      await sleep(wait, undefined, { signal: context.signal }).catch(() => {
        throw new Error("context canceled");
      });
    }
  }
}

/** @throws Error for a private key that cannot be read; the message names no key material */
async function assertReadableKey({ privateKey, privateKeyPassword }: Properties): Promise<void> {
  const key = text(privateKey);
  if (key === undefined) return;
  const { default: ssh2 } = await import("ssh2");
  const parsed = ssh2.utils.parseKey(key, text(privateKeyPassword));
  if (parsed instanceof Error) throw new Error("ssh: no key found");
}

async function dial(connection: Properties, address: string): Promise<Connections> {
  if (!isObject(connection.proxy)) return [await open(connection, address)];
  const { proxy } = connection;
  const gate = await open(proxy, `${proxy.host}:${number(proxy.port, 22)}`);
  try {
    const socket = await new Promise<NonNullable<ConnectConfig["sock"]>>((resolve, reject) =>
      gate.forwardOut("127.0.0.1", 0, String(connection.host), number(connection.port, 22), (error, stream) =>
        error ? reject(error) : resolve(stream),
      ),
    );
    return [await open(connection, address, socket), gate];
  } catch (error) {
    gate.end();
    throw error;
  }
}

async function open(connection: Properties, address: string, sock?: ConnectConfig["sock"]): Promise<SshClient> {
  const { default: ssh2 } = await import("ssh2");
  const expected = typeof connection.hostKey === "string" ? connection.hostKey.trim().split(/\s+/) : undefined;
  let mismatch = false;
  const socket = sock ?? (await openTcp(connection, address));
  const client = new ssh2.Client();
  const config: ConnectConfig = {
    username: text(connection.user) ?? "root",
    password: text(connection.password),
    privateKey: text(connection.privateKey),
    passphrase: text(connection.privateKeyPassword),
    agent: text(connection.agentSocketPath) ?? process.env.SSH_AUTH_SOCK,
    readyTimeout: 0,
    sock: socket,
    // The key that is expected is the only kind that it takes.
    ...(expected === undefined ? {} : { algorithms: { serverHostKey: [expected[0] as ServerHostKeyAlgorithm] } }),
    hostVerifier: (key: Buffer) => {
      mismatch = expected !== undefined && key.toString("base64") !== expected[1];
      return !mismatch;
    },
  };
  return new Promise((resolve, reject) => {
    client.once("ready", () => {
      client.removeAllListeners("error");
      client.on("error", () => undefined);
      resolve(client);
    });
    client.on("error", (error) => {
      client.destroy();
      reject(new Error(mismatch ? "ssh: handshake failed: ssh: host key mismatch" : dialError(error, address)));
    });
    try {
      client.connect(config);
    } catch (error) {
      socket.destroy();
      reject(new Error(`ssh: ${error instanceof Error ? error.message : String(error)}`));
    }
  });
}

function openTcp(connection: Properties, address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: String(connection.host), port: number(connection.port, 22) });
    const fail = (error: Error & { code?: string }) => {
      socket.destroy();
      reject(new Error(dialError(error, address)));
    };
    socket.setTimeout(number(connection.perDialTimeout, 15) * 1000, () =>
      fail(Object.assign(new Error("i/o timeout"), { code: "ETIMEDOUT" })),
    );
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("error", fail);
      // Many small packets to and fro: waiting to fill them costs 40 ms each.
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** A dial's failure in the words of the real plugin. */
function dialError(error: Error & { code?: string; level?: string }, address: string): string {
  if (error.code === "ECONNREFUSED") return `dial tcp ${address}: connect: connection refused`;
  if (error.code === "EHOSTUNREACH") return `dial tcp ${address}: connect: no route to host`;
  if (error.code === "ENOTFOUND") return `dial tcp: lookup ${address.replace(/:\d+$/, "")}: no such host`;
  if (error.code === "ETIMEDOUT") return `dial tcp ${address}: i/o timeout`;
  if (error.level === "client-authentication") {
    return "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain";
  }
  if (/no matching host key format/.test(error.message)) {
    return "ssh: handshake failed: ssh: no common algorithm for host key";
  }
  return `ssh: handshake failed: ${error.message}`;
}

function number(value: Json | undefined, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
