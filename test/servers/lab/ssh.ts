import ssh2 from "ssh2";
import type { Host } from "../../../dev/lab/ssh-host";

/** What a command over SSH did. */
export interface Ran {
  code: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs a command on a host as a careful client does: only with the right host key. */
export function overSsh(host: Host, command: string, stdin = "", key = host.privateKey): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const ran: Ran = { code: undefined, stdout: "", stderr: "" };
    client.on("error", reject);
    client.on("ready", () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        channel.on("data", (data: Buffer) => {
          ran.stdout += data;
        });
        channel.stderr.on("data", (data: Buffer) => {
          ran.stderr += data;
        });
        channel.on("exit", (code: number | null) => {
          ran.code = code ?? undefined;
        });
        channel.on("close", () => {
          client.end();
          resolve(ran);
        });
        channel.end(stdin);
      });
    });
    const hostVerifier = (found: Buffer) => found.toString("base64") === host.hostKey.split(" ")[1];
    client.on("connect", () => client.setNoDelay(true));
    client.connect({ host: host.address, port: host.port, username: host.user, privateKey: key, hostVerifier });
  });
}
