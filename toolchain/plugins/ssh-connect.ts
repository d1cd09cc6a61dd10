import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectConfig, Client as SshClient } from "ssh2";
import type { ResourceContext } from "./provider";
import { isObject, type Json, type Properties } from "./values";

/** The client to work with, and the one to the proxy behind it when there is one. */
export type Connections = [SshClient, ...SshClient[]];

/**
 * Opens an SSH connection as the inputs of a remote command describe it. Repeats a failed dial up to `dialErrorLimit`
 * times (-1: without end), each with `perDialTimeout` seconds.
 */
export async function connect(connection: Properties, context: ResourceContext): Promise<Connections> {
  const limit = number(connection.dialErrorLimit, 10);
  const address = `${connection.host}:${number(connection.port, 22)}`;
  for (let attempt = 1, wait = 100; ; attempt++, wait = Math.min(wait * 1.5, 5_000)) {
    try {
      return await dial(connection, address);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if ((limit >= 0 && attempt >= Math.max(1, limit)) || context.signal.aborted) {
        throw new Error(`after ${attempt} failed attempts: ${reason}`);
      }
      context.log(`Dial ${attempt}/${limit < 0 ? "inf" : limit} failed: retrying`);
      await sleep(wait, undefined, { signal: context.signal });
    }
  }
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
  const client = new ssh2.Client();
  const config: ConnectConfig = {
    host: String(connection.host),
    port: number(connection.port, 22),
    username: text(connection.user) ?? "root",
    password: text(connection.password),
    privateKey: text(connection.privateKey),
    passphrase: text(connection.privateKeyPassword),
    agent: text(connection.agentSocketPath) ?? process.env.SSH_AUTH_SOCK,
    readyTimeout: number(connection.perDialTimeout, 15) * 1000,
    keepaliveInterval: 15_000,
    sock,
    hostVerifier: (key: Buffer) => {
      mismatch = expected !== undefined && key.toString("base64") !== expected[1];
      return !mismatch;
    },
  };
  return new Promise((resolve, reject) => {
    // Many small packets to and fro: waiting to fill them costs 40 ms each.
    if (sock === undefined) client.once("connect", () => client.setNoDelay(true));
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
      // A private key that cannot be read; the message names no key material.
      reject(new Error(`ssh: ${error instanceof Error ? error.message : String(error)}`));
    }
  });
}

/** A dial's failure in the words of the real plugin. */
function dialError(error: Error & { code?: string; level?: string }, address: string): string {
  if (error.code === "ECONNREFUSED") return `dial tcp ${address}: connect: connection refused`;
  if (error.code === "EHOSTUNREACH") return `dial tcp ${address}: connect: no route to host`;
  if (error.code === "ENOTFOUND") return `dial tcp: lookup ${address.replace(/:\d+$/, "")}: no such host`;
  if (error.code === "ETIMEDOUT" || error.level === "client-timeout") return `dial tcp ${address}: i/o timeout`;
  if (error.level === "client-authentication") {
    return "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain";
  }
  return `ssh: handshake failed: ${error.message}`;
}

function number(value: Json | undefined, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
