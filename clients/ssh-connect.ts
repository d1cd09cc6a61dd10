import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import * as z from "zod";
import { messageOf, StepError } from "../core/errors";
import { quoted } from "../core/shell-word";
import { within } from "./poll";

export const hostReference = z.object({
  address: z.string(),
  port: z.number(),
  user: z.string(),
  hostKey: z.union([z.string(), z.array(z.string()).min(1)]),
});

export type HostReference = z.output<typeof hostReference>;

/** Milliseconds until a host that does not answer counts as unreachable. */
export const TIMEOUT = 15_000;

/** A host that answers no keep-alive in this time and number is gone, also in the middle of a command. */
const KEEPALIVES = 3;

/** The host cannot be reached, or the connection was lost; another attempt may succeed. */
export class UnreachableError extends StepError {}

/** An SSH connection to a host with the expected key. @throws StepError that says what was expected and found */
export async function connect(name: string, host: HostReference, privateKey: string): Promise<Client> {
  const client = new Client();
  // A failed connection emits the error again when its socket closes. An event without a listener would end the process;
  // the running command learns of it from its stream.
  client.on("error", () => undefined);
  const keys = [host.hostKey].flat().map((key) => key.trim().split(/\s+/));
  let offered = "";
  const config: ConnectConfig = {
    host: host.address,
    port: host.port,
    username: host.user,
    privateKey,
    readyTimeout: TIMEOUT,
    keepaliveInterval: TIMEOUT / KEEPALIVES,
    keepaliveCountMax: KEEPALIVES,
    // A host has several keys, and shows the requested one.
    algorithms: { serverHostKey: algorithmsOf(keys.map(([type = ""]) => type)) },
    hostVerifier: (key: Buffer) => {
      offered = key.toString("base64");
      return keys.some(([, blob]) => blob === offered);
    },
  };
  try {
    await within(
      2 * TIMEOUT,
      new Promise<void>((resolve, reject) => client.once("ready", resolve).once("error", reject).connect(config)),
      () => new Error("it accepted the connection and sent nothing"),
    );
    // Many small packets are exchanged: waiting to fill them costs 40 ms each.
    client.setNoDelay(true);
    return client;
  } catch (error) {
    end(client);
    const shown = offered !== "" && !keys.some(([, blob]) => blob === offered) ? offered : undefined;
    throw connectError(error as Error & { level?: string }, name, host, shown);
  }
}

/** RSA keys are requested with the signatures that current servers make. */
function algorithmsOf(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const algorithms = types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]));
  return [...new Set(algorithms)] as ServerHostKeyAlgorithm[];
}

function connectError(
  error: Error & { level?: string },
  name: string,
  { user, address, port, hostKey }: HostReference,
  shown: string | undefined,
): StepError {
  const where = `${user}@${address}:${port} (hosts.${name})`;
  const keyscan = `ssh-keyscan -p ${port} ${quoted(address)}`;
  const said = messageOf(error);
  const message = said.includes("ECONNREFUSED") ? `connection refused (${said})` : said;
  if (shown !== undefined) {
    return new StepError(
      `${where} shows another key than hosts.${name}.hostKey: ${shown.slice(0, 40)}...; if the host was reinstalled, ` +
        `put its new key into the config (\`${keyscan}\`), otherwise the connection may be intercepted`,
    );
  }
  if (/no matching host key format|Unsupported algorithm/i.test(message)) {
    const types = [hostKey].flat().map((key) => key.split(/\s+/)[0]);
    return new StepError(
      `${where} has no key of the type ${types.join(", ")}, which hosts.${name}.hostKey names; put one that it has into the ` +
        `config, after comparing it on the host: \`${keyscan}\``,
    );
  }
  if (error.level === "client-authentication") {
    return new StepError(
      `${where} does not take the key in sshPrivateKey: put its public key into authorized_keys of ${user} there, or set ` +
        "the right one with `pulumi config set --secret sshPrivateKey < KEYFILE`",
    );
  }
  if (/privateKey/.test(message)) return new StepError(`sshPrivateKey cannot be read: ${message}`);
  return new UnreachableError(
    `${where} cannot be reached: ${message}. Try it by hand: \`ssh -p ${port} ${quoted(`${user}@${address}`)}\``,
  );
}

/** Does not wait: a host that does not answer does not close the connection either. */
export function end(client: Client): void {
  client.end();
  const close = setTimeout(() => client.destroy(), 1000);
  client.once("close", () => clearTimeout(close));
}
