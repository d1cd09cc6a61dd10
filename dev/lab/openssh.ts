import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { PollAbort, poll } from "./poll";
import { onFreePort } from "./ports";
import { logTail, startProcess } from "./processes";
import type { SshServer, SshServerOptions } from "./ssh-server";

const SSHD = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].find((file) => existsSync(file));

/** Whether this machine has OpenSSH's server. */
export const hasOpenSsh = SSHD !== undefined;

/** OpenSSH knows the machine's own accounts: a lab's hosts are all reached as the one that runs it. */
export const openSshUser = () => userInfo().username;

/** Starts OpenSSH's server, whose commands get the environment given instead of the account's. */
export async function startOpenSsh(options: Omit<SshServerOptions, "user">): Promise<SshServer> {
  const { address, hostPrivateKey, authorizedKey, env, cwd } = options;
  const file = (name: string) => join(cwd, `sshd-${name}`);
  await writeFile(file("host"), hostPrivateKey, { mode: 0o600 });
  await writeFile(file("authorized"), `${authorizedKey}\n`);
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  return onFreePort(async (port) => {
    const settings = [
      ...[`Port ${port}`, `ListenAddress ${address}`, `HostKey ${file("host")}`, "PidFile none", "StrictModes no"],
      ...[`AuthorizedKeysFile ${file("authorized")}`, "PermitRootLogin yes", "PasswordAuthentication no"],
      `SetEnv ${Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .join(" ")}`,
    ];
    await writeFile(file("config"), `${settings.join("\n")}\n`);
    const logFile = file("log");
    const args = ["-D", "-e", "-f", file("config")];
    const server = await startProcess({ command: String(SSHD), args, logFile });
    const listens = () =>
      new Promise<boolean>((resolve, reject) => {
        const end = server.ended();
        if (end) return reject(new PollAbort(new Error(`sshd ended with ${end}:\n${logTail(logFile)}`)));
        const socket = createConnection({ host: address, port }, () => {
          socket.destroy();
          resolve(true);
        });
        socket.on("error", () => resolve(false));
      });
    await poll(listens, { what: `sshd on ${address}`, limitMs: 60_000 });
    return { port, stop: () => server.stop() };
  });
}
