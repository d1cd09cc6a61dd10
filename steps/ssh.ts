import { randomBytes } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import * as z from "zod";
import { messageOf, StepError } from "./run-step";
import { LONGEST_OUTPUT, type Ran, type RunScript } from "./shell";

export const hostReference = z.object({
  address: z.string(),
  port: z.number(),
  user: z.string(),
  hostKey: z.union([z.string(), z.array(z.string()).min(1)]),
});

export type HostReference = z.output<typeof hostReference>;

/** Milliseconds until a host that does not answer counts as unreachable. */
const TIMEOUT = 15_000;

/** A host that answers none of so many questions within that time is gone, also in the middle of a command. */
const KEEPALIVES = 3;

/** The host cannot be reached, or not any more; another attempt may succeed. */
export class UnreachableError extends StepError {}

/**
 * One SSH connection, on which `use` may run scripts; where it breaks, the next script has another. Every part of it has a
 * time limit.
 *
 * @param attempts how often a host that does not answer is tried.
 * @throws StepError that says what was expected and found
 */
export async function withHost<T>(
  name: string,
  host: HostReference,
  privateKey: string,
  use: (run: RunScript) => Promise<T>,
  attempts = 1,
): Promise<T> {
  const where = `${host.user}@${host.address}:${host.port} (hosts.${name})`;
  let client: Client | undefined = await firstOf(attempts, () => connect(name, host, privateKey));
  try {
    return await use(async (script, limit) => {
      client ??= await connect(name, host, privateKey);
      try {
        return await run(client, where, script, limit);
      } catch (error) {
        if (error instanceof UnreachableError) {
          end(client);
          client = undefined;
        }
        throw error;
      }
    });
  } finally {
    if (client !== undefined) end(client);
  }
}

/** A host that does not answer does not close the connection either. */
function end(client: Client): void {
  client.end();
  const close = setTimeout(() => client.destroy(), 1000);
  client.once("close", () => clearTimeout(close));
}

/** The first success; the last failure, where all of so many attempts find the host unreachable. */
async function firstOf<T>(attempts: number, attempt: () => Promise<T>): Promise<T> {
  for (let left = attempts; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 1 || !(error instanceof UnreachableError)) throw error;
      await sleep(1000);
    }
  }
}

async function connect(name: string, host: HostReference, privateKey: string): Promise<Client> {
  const client = new Client();
  // One that failed says so again when its socket closes. An event without a listener would end the process; the
  // command under way is told by its stream.
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
    // A host has several keys, and shows the one that it is asked for.
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
      () => new Error("it took the connection and then said nothing"),
    );
    // Many small packets to and fro: waiting to fill them costs 40 ms each.
    client.setNoDelay(true);
    return client;
  } catch (error) {
    end(client);
    const shown = offered !== "" && !keys.some(([, blob]) => blob === offered) ? offered : undefined;
    throw connectError(error as Error & { level?: string }, name, host, shown);
  }
}

/** RSA keys are asked for with the signatures that servers of today make. */
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
  const message = messageOf(error);
  if (shown !== undefined) {
    return new StepError(
      `${where} shows another key than hosts.${name}.hostKey: ${shown.slice(0, 40)}...; if the host was reinstalled, ` +
        "put its new key into the config (`ssh-keyscan`), else somebody stands in between",
    );
  }
  if (/no matching host key format|Unsupported algorithm/i.test(message)) {
    const types = [hostKey].flat().map((key) => key.split(/\s+/)[0]);
    return new StepError(
      `${where} has no key of the type ${types.join(", ")}, which hosts.${name}.hostKey names; put one that it has into the ` +
        `config, after comparing it on the host: ssh-keyscan -p ${port} ${address}`,
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
    `${where} cannot be reached: ${message}. Try it by hand: ssh -p ${port} ${user}@${address}`,
  );
}

/**
 * Runs a script by `/bin/sh`, whatever the login shell, which may greet and say goodbye: only what stands between two marks
 * is the script's own. The script goes over stdin, so that no process list of the host shows it.
 */
async function run(client: Client, where: string, script: string, limit: number): Promise<Ran> {
  const mark = randomBytes(12).toString("hex");
  const channel = await within(
    TIMEOUT,
    new Promise<ClientChannel>((resolve, reject) =>
      client.exec("/bin/sh -s", (error, opened) => (error ? reject(error) : resolve(opened))),
    ),
    () => new Error("it opens no session"),
  ).catch((error: unknown) => {
    throw new UnreachableError(`${where} runs no command: ${messageOf(error)}`);
  });
  const ended = collect(channel, mark);
  channel.on("error", () => undefined);
  // What the login shell says there is for a person.
  channel.stderr.resume();
  channel.end(framed(script, mark));
  const ran = await within(limit, ended, () => new TimedOut()).catch((error: unknown) => {
    channel.destroy();
    if (error instanceof TimedOut) return { status: null, output: "" };
    throw error;
  });
  if (typeof ran !== "number") return ran;
  throw ran === BROKEN
    ? new UnreachableError(
        `${where}: the connection broke, or the host stopped answering, before the command had ended`,
      )
    : new StepError(
        `${where} does not run /bin/sh for ${where.split("@")[0]}: its login shell ended with status ${ran}`,
      );
}

class TimedOut extends Error {}

/** In a subshell, so that an \`exit\` in it ends the script alone. */
const framed = (script: string, mark: string) =>
  `{ printf '\\n%s begins\\n' ${mark}; (\n${script}\n) </dev/null 2>&1; printf '\\n%s ends %s\\n' ${mark} $?; exit 0; }\n`;

/** The channel closed without an exit status. */
const BROKEN = -1;

/** What stands between the marks, once the second is there; the login shell's exit status where it never comes. */
function collect(channel: ClientChannel, mark: string): Promise<Ran | number> {
  const [begin, end] = [`\n${mark} begins\n`, new RegExp(`\n${mark} ends (\\d+)\n`)];
  const decoder = new StringDecoder("utf8");
  let [text, status] = ["", BROKEN];
  return new Promise((resolve) => {
    channel.on("data", (chunk: Buffer) => {
      const more = decoder.write(chunk);
      // Of what is too much the middle is left out: the marks are at both ends.
      if (text.length > LONGEST_OUTPUT) text = text.slice(0, LONGEST_OUTPUT / 2) + text.slice(-100);
      text += more;
      const found = end.exec(text.slice(-more.length - 100));
      if (found === null) return;
      const output = text.slice(text.indexOf(begin) + begin.length, text.lastIndexOf(found[0]));
      resolve({ status: Number(found[1]), output });
    });
    channel.on("exit", (code: number | null) => {
      status = code ?? BROKEN;
    });
    channel.on("close", () => resolve(status));
  });
}

/** A promise that gives up after so many milliseconds. */
function within<T>(limit: number, promise: Promise<T>, failure: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(failure()), limit);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
