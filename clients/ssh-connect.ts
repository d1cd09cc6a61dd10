import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import type { Client, ClientChannel, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import * as z from "zod";
import { messageOf, StepError } from "../core/errors";
import { secret } from "../core/secret-fields";
import { quoted } from "../core/shell-word";
import type { SshKey } from "../core/ssh-key";
import { within } from "./poll";
import { keyMismatch, type TrustedKeys, trustedKeys } from "./ssh-host-key";

const direct = z.object({
  address: z.string(),
  port: z.number(),
  user: z.string(),
  hostKey: z.union([z.string(), z.array(z.string()).min(1)]),
  hostKeyAlias: z.string().optional(),
});

const bastion = direct.extend({ name: z.string() });

export const hostReference = direct.extend({
  /** The bastion through which it is reached, and that one's. */
  proxy: bastion.extend({ proxy: bastion.optional() }).optional(),
});

export type HostReference = z.output<typeof direct> & {
  readonly proxy?: (HostReference & { readonly name: string }) | undefined;
};

/** {@link SshKey} in a step's input. */
export const sshKey = z.union([
  secret(z.string()),
  z.object({ key: secret(z.string()), passphrase: secret(z.string()) }),
]);

/** Milliseconds until a host that does not answer counts as unreachable. */
export const TIMEOUT = 15_000;

/** A host that answers no keep-alive in this time and number is gone, also in the middle of a command. */
const KEEPALIVES = 3;

/** The host cannot be reached, or the connection was lost; another attempt may succeed. */
export class UnreachableError extends StepError {}

/** An SSH connection to a host with the expected key. @throws StepError that says what was expected and found */
export async function connect(name: string, host: HostReference, key: SshKey): Promise<Client> {
  const through = host.proxy && (await connect(host.proxy.name, host.proxy, key));
  try {
    const trusted = await trustedOf(name, host, key, through);
    return await opened(name, host, key, trusted, through);
  } catch (error) {
    if (through !== undefined) end(through);
    throw error;
  }
}

/** The keys that the host may show, of which an authority's certificate may be one. */
async function trustedOf(name: string, host: HostReference, key: SshKey, through: Client | undefined) {
  let stream: Duplex | undefined;
  const open = async (): Promise<Duplex> => {
    stream = through === undefined ? connectSocket(host.port, host.address) : await forwarded(through, name, host);
    return stream;
  };
  try {
    return await within(TIMEOUT, trustedKeys(name, host, open), () => new Error("it sent nothing"));
  } catch (error) {
    throw error instanceof StepError ? error : connectError(error as Error, name, host, key);
  } finally {
    stream?.destroy();
  }
}

async function opened(
  name: string,
  host: HostReference,
  key: SshKey,
  trusted: TrustedKeys,
  through: Client | undefined,
): Promise<Client> {
  // Loaded at first use: most steps reach no host, and it is the largest library of those that do.
  const { default: ssh2 } = await import("ssh2");
  const client = new ssh2.Client();
  // What leads to the host ends with it.
  if (through !== undefined) client.once("close", () => end(through));
  // A failed connection emits the error again when its socket closes. An event without a listener would end the process;
  // the running command learns of it from its stream.
  client.on("error", () => undefined);
  const isTrusted = (shown: string) => trusted.keys.some(({ key }) => key === shown);
  let offered = "";
  const config: ConnectConfig = {
    host: host.address,
    port: host.port,
    username: host.user,
    ...opening(key),
    ...(through === undefined ? {} : { sock: await forwarded(through, name, host) }),
    readyTimeout: TIMEOUT,
    keepaliveInterval: TIMEOUT / KEEPALIVES,
    keepaliveCountMax: KEEPALIVES,
    // A host has several keys, and shows the requested one.
    algorithms: { serverHostKey: algorithmsOf(trusted.keys.map(({ type }) => type)) },
    hostVerifier: (key: Buffer) => {
      offered = key.toString("base64");
      return isTrusted(offered);
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
    if (offered !== "" && !isTrusted(offered)) throw keyMismatch(name, host, trusted, offered);
    if (/no matching host key format|Unsupported algorithm/i.test(messageOf(error)))
      throw keyMismatch(name, host, trusted);
    throw connectError(error as Error & { level?: string }, name, host, key);
  }
}

function opening(key: SshKey): Pick<ConnectConfig, "privateKey" | "passphrase" | "agent"> {
  if (typeof key === "object") return { privateKey: key.key, passphrase: key.passphrase };
  if (key !== undefined) return { privateKey: key };
  const agent = process.env.SSH_AUTH_SOCK;
  if (agent) return { agent };
  throw new StepError("no SSH agent: sshAgent is set, and SSH_AUTH_SOCK is not; start one and add the key (`ssh-add`)");
}

/** A connection from the bastion to the host. */
async function forwarded(through: Client, name: string, { address, port, proxy }: HostReference) {
  return forward(through, address, port).catch((error: unknown) => {
    throw new UnreachableError(
      `${address}:${port} (hosts.${name}) cannot be reached through hosts.${proxy?.name}: ${messageOf(error)}. Expected ` +
        "that host to reach it, and to allow it (AllowTcpForwarding, PermitOpen)",
    );
  });
}

/** A host opened no connection for this session. */
export class ForwardError extends Error {
  override readonly name = "ForwardError";

  /** @param isForbidden whether the host's SSH server allows no forwarding; else the host itself cannot connect. */
  constructor(
    message: string,
    readonly isForbidden: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A TCP connection that the SSH server of the host opens, from the host's own address. @throws ForwardError */
export function forward(client: Client, address: string, port: number): Promise<ClientChannel> {
  const opened = new Promise<ClientChannel>((resolve, reject) =>
    client.forwardOut("127.0.0.1", 0, address, port, (error, channel) =>
      error ? reject(forwardError(error)) : resolve(channel),
    ),
  );
  return within(TIMEOUT, opened, () => new ForwardError("it does not answer", false));
}

/** The reason as RFC 4254 numbers it: 1 is "administratively prohibited". */
function forwardError(error: Error & { readonly reason?: unknown }): ForwardError {
  const said = error.message.replace(/^\(SSH\) Channel open failure: ?/, "");
  const isForbidden = error.reason === 1 || error.reason === "ADMINISTRATIVELY_PROHIBITED";
  return new ForwardError(said || "the connection is refused", isForbidden, { cause: error });
}

/** RSA keys are requested with the signatures that current servers make. */
function algorithmsOf(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const algorithms = types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]));
  return [...new Set(algorithms)] as ServerHostKeyAlgorithm[];
}

function connectError(
  error: Error & { level?: string },
  name: string,
  { user, address, port }: HostReference,
  key: SshKey,
): StepError {
  const where = `${user}@${address}:${port} (hosts.${name})`;
  const said = messageOf(error);
  const message = said.includes("ECONNREFUSED") ? `connection refused (${said})` : said;
  if (/passphrase/i.test(message)) {
    return new StepError(
      `sshPrivateKey cannot be read: ${message}; set its passphrase with \`pulumi config set --secret sshKeyPassphrase\``,
    );
  }
  if (error.level === "client-authentication" && key === undefined) {
    return new StepError(
      `${where} takes no key of the SSH agent (\`ssh-add -l\`): put the public key of one into authorized_keys of ${user} there`,
    );
  }
  if (error.level === "agent") return new StepError(`the SSH agent at SSH_AUTH_SOCK does not answer: ${message}`);
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
