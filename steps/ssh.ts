import { Client, type ConnectConfig } from "ssh2";
import * as z from "zod";
import { messageOf, StepError } from "./run-step";

export const hostReference = z.object({ address: z.string(), port: z.number(), user: z.string(), hostKey: z.string() });

export type HostReference = z.output<typeof hostReference>;

/** Seconds until a host that does not answer counts as unreachable. */
const TIMEOUT = 15;

/** A host that answers none of so many questions within that time is gone, also in the middle of a command. */
const KEEPALIVES = 3;

/** One SSH connection, on which `use` may run commands. @throws StepError that says what was expected and found. */
export async function withHost<T>(
  name: string,
  host: HostReference,
  privateKey: string,
  use: (run: (command: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  const client = new Client();
  const where = `${host.user}@${host.address}:${host.port} (hosts.${name})`;
  let offered = "";
  const config: ConnectConfig = {
    host: host.address,
    port: host.port,
    username: host.user,
    privateKey,
    readyTimeout: TIMEOUT * 1000,
    keepaliveInterval: (TIMEOUT * 1000) / KEEPALIVES,
    keepaliveCountMax: KEEPALIVES,
    hostVerifier: (key: Buffer) => {
      offered = key.toString("base64");
      return offered === host.hostKey.split(/\s+/)[1];
    },
  };
  // One that failed says so again when its socket closes. An event without a listener would end the process; the
  // command under way is told by its stream.
  client.on("error", () => undefined);
  try {
    await new Promise<void>((resolve, reject) => client.once("ready", resolve).once("error", reject).connect(config));
  } catch (error) {
    client.end();
    if (offered !== "" && offered !== host.hostKey.split(/\s+/)[1]) {
      throw new StepError(
        `${where} shows another key than hosts.${name}.hostKey: ${offered.slice(0, 40)}...; if the host was reinstalled, ` +
          "put its new key into the config (`ssh-keyscan`), else somebody stands in between",
      );
    }
    if ((error as { level?: string }).level === "client-authentication") {
      throw new StepError(
        `${where} does not take the key in sshPrivateKey: put its public key into authorized_keys of ${host.user} there, or set ` +
          "the right one with `pulumi config set --secret sshPrivateKey < KEYFILE`",
      );
    }
    const unreadable = /privateKey/.test(messageOf(error));
    throw new StepError(
      unreadable
        ? `sshPrivateKey cannot be read: ${messageOf(error)}`
        : `${where} cannot be reached: ${messageOf(error)}. Try it by hand: ssh -p ${host.port} ${host.user}@${host.address}`,
    );
  }
  try {
    return await use((command) => run(client, command));
  } finally {
    client.end();
  }
}

/** Standard output and error together; fails with them where the command does. */
function run(client: Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, stream) => {
      if (error) return reject(error);
      let output = "";
      const collect = (chunk: Buffer) => {
        output += chunk.toString("utf8");
      };
      stream.on("data", collect).stderr.on("data", collect);
      stream.on("close", (code?: number | null) => {
        const broken = "the connection broke, or the host stopped answering, before the command had ended";
        if (code === 0) resolve(output);
        else reject(new StepError(output.trim() || (typeof code === "number" ? `exit status ${code}` : broken)));
      });
    });
  });
}
