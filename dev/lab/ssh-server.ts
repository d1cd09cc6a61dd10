import { spawn } from "node:child_process";
import { timingSafeEqual } from "node:crypto";
import { createConnection } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { guardProcess } from "./guard";

/** What {@link startSshServer} takes. */
export interface SshServerOptions {
  address: string;
  user: string;
  /** OpenSSH PEM text. */
  hostPrivateKey: string;
  /** The one key that may log in: `ssh-ed25519 AAAA…`. */
  authorizedKey: string;
  /** Environment and working folder of what is run. */
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** The host's firewall: whether it lets a connection out. Default: every one. */
  mayReach?: ((host: string, port: number) => boolean) | undefined;
  /** Whether it forwards connections at all. Default true. */
  forwards?: boolean;
}

/** An SSH server that runs commands. */
export interface SshServer {
  port: number;
  stop(): Promise<void>;
}

/**
 * Starts an SSH server on a free port: public-key login, `exec` by /bin/sh, standard input passed on, exit status back; and
 * connections that begin at its own address.
 */
export function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const clients = new Set<Connection>();
  const authorized = publicBlob(options.authorizedKey);
  const server = new ssh2.Server({ hostKeys: [options.hostPrivateKey], ident: "lab" }, (client) => {
    clients.add(client);
    // The handshake is many small packets to and fro: waiting to fill them costs 40 ms each.
    (client as Connection & { setNoDelay(on: boolean): void }).setNoDelay(true);
    client.on("close", () => clients.delete(client));
    client.on("error", () => undefined);
    client.on("authentication", (context) => authenticate(context, options.user, authorized));
    client.on("session", (accept) => {
      const session = accept();
      // As OpenSSH does by default: the client's variables are ignored.
      session.on("env", (_accept, rejectEnv) => rejectEnv?.());
      session.on("exec", (acceptExec, _reject, info) => run(acceptExec(), info.command, options));
    });
    if (options.forwards === false) return;
    client.on("tcpip", (accept, reject, { destIP: host, destPort: port }) => {
      if (options.mayReach?.(host, port) === false) return reject();
      const socket = createConnection({ host, port, localAddress: options.address });
      const refuse = () => reject();
      socket.once("error", refuse);
      socket.once("connect", () => {
        socket.off("error", refuse);
        const channel = accept();
        socket.on("error", () => channel.close());
        channel.on("error", () => socket.destroy());
        channel.on("close", () => socket.destroy());
        socket.pipe(channel).pipe(socket);
      });
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, options.address, () => {
      const stop = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          for (const client of clients) client.end();
        });
      const listening = server.address();
      resolve({ port: typeof listening === "object" && listening ? listening.port : 0, stop });
    });
  });
}

function publicBlob(publicKey: string): Buffer {
  return Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
}

function authenticate(context: AuthContext, user: string, authorized: Buffer): void {
  if (mayEnter(context, user, authorized)) context.accept();
  else context.reject(["publickey"]);
}

function mayEnter(context: AuthContext, user: string, authorized: Buffer): boolean {
  if (context.username !== user || context.method !== "publickey") return false;
  const offered = context.key.data;
  if (offered.length !== authorized.length || !timingSafeEqual(offered, authorized)) return false;
  if (!context.signature) return true; // Only asks whether the key would do.
  const key = ssh2.utils.parseKey(`${context.key.algo} ${offered.toString("base64")}`);
  return (
    !(key instanceof Error) && key.verify(context.blob ?? Buffer.alloc(0), context.signature, context.hashAlgo) === true
  );
}

function run(channel: ServerChannel, command: string, options: SshServerOptions): void {
  // As bash does under sshd: the account's .bashrc runs first, with any greeting.
  const login = `[ ! -f "$HOME/.bashrc" ] || . "$HOME/.bashrc"\n${command}`;
  const child = spawn("/bin/sh", ["-c", login], { env: options.env, cwd: options.cwd, detached: true });
  // A negative id is the whole group: the shell and what it started.
  const release = child.pid === undefined ? undefined : guardProcess(-child.pid, "TERM");
  let ended = false;
  channel.pipe(child.stdin);
  child.stdin.on("error", () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("error", () => channel.close());
  child.on("close", (code, signal) => {
    ended = true;
    release?.();
    if (signal) channel.exit(signal.replace(/^SIG/, ""), false, "");
    else channel.exit(code ?? 255);
    channel.end();
  });
  channel.on("error", () => undefined);
  // A client that goes away ends what it started, its children included.
  channel.on("close", () => {
    if (!ended && child.pid !== undefined) killGroup(child.pid);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGHUP");
  } catch {
    // It has ended by itself in the meantime.
  }
}
