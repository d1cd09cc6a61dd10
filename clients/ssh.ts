import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Client, ClientChannel } from "ssh2";
import { messageOf, StepError } from "../core/errors";
import { quoted } from "../core/shell-word";
import type { SshKey } from "../core/ssh-key";
import { retry, within } from "./poll";
import { LONGEST_OUTPUT, type Ran, type RunScript, tellEnd } from "./shell";
import { connect, end, forward, type HostReference, TIMEOUT, UnreachableError } from "./ssh-connect";

export { ForwardError, type HostReference, hostReference, sshKey, UnreachableError } from "./ssh-connect";

/** Connections that begin at a host. */
export interface Reach {
  /** Over TCP, by the SSH server: the server at the other end sees the host's address. */
  dial(address: string, port: number): Promise<Duplex>;
  /** The standard input and output of a command there. */
  pipe(command: string): Promise<Duplex>;
}

/**
 * One SSH connection, on which `use` may run scripts and open connections from the host; if it breaks, the next script gets a
 * new one. Every part has a time limit.
 *
 * @param attempts how often a host that does not answer is tried.
 * @throws StepError that says what was expected and found
 */
export async function withHost<T>(
  name: string,
  host: HostReference,
  key: SshKey,
  use: (run: RunScript, reach: Reach) => Promise<T>,
  attempts = 1,
): Promise<T> {
  const where = `${host.user}@${host.address}:${host.port} (hosts.${name})`;
  let client: Client | undefined = await retry(
    () => connect(name, host, key),
    (error) => error instanceof UnreachableError,
    { attempts, pause: 1000 },
  );
  try {
    return await use(
      async (script, limit) => {
        client ??= await connect(name, host, key);
        try {
          return await run(client, where, script, limit);
        } catch (error) {
          if (error instanceof UnreachableError) {
            end(client);
            client = undefined;
          }
          throw error;
        }
      },
      {
        dial: async (address, port) => {
          client ??= await connect(name, host, key);
          return forward(client, address, port);
        },
        pipe: async (command) => {
          client ??= await connect(name, host, key);
          return piped(client, command);
        },
      },
    );
  } finally {
    if (client !== undefined) end(client);
  }
}

/**
 * Runs a script by `/bin/sh`, whatever the login shell, which may print a greeting: only the text between two marks is the
 * script's own. The script goes over stdin, so that no process list of the host shows it.
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
  // The login shell's own errors are for people.
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
        `${where} does not run /bin/sh for ${where.slice(0, where.lastIndexOf("@"))}: its login shell ended with status ${ran}`,
      );
}

class TimedOut extends Error {}

/** In a subshell, so that an \`exit\` in it ends the script alone. */
const framed = (script: string, mark: string) =>
  `{ printf '\\n%s begins\\n' ${mark}; (\n${script}\n) </dev/null 2>&1; printf '\\n%s ends %s\\n' ${mark} $?; exit 0; }\n`;

/** The channel closed without an exit status. */
const BROKEN = -1;

/** The text between the marks, once the second has arrived; the login shell's exit status if it never comes. */
function collect(channel: ClientChannel, mark: string): Promise<Ran | number> {
  const [begin, end] = [`\n${mark} begins\n`, new RegExp(`\n${mark} ends (\\d+)\n`)];
  const decoder = new StringDecoder("utf8");
  let [text, status] = ["", BROKEN];
  return new Promise((resolve) => {
    channel.on("data", (chunk: Buffer) => {
      const more = decoder.write(chunk);
      // If the output is too long, its middle is left out: the marks are at both ends.
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
    channel.on("close", () => {
      const from = text.indexOf(begin);
      // The script ended the shell around it as well.
      resolve(from < 0 || status === BROKEN ? status : { status, output: text.slice(from + begin.length) });
    });
  });
}

/** What a login shell prints before the command is no part of the stream. */
async function piped(client: Client, command: string): Promise<Duplex> {
  const mark = randomBytes(12).toString("hex");
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.exec(`/bin/sh -c ${quoted(`printf %s ${mark}; ${command}`)}`, (error, opened) =>
      error ? reject(error) : resolve(opened),
    ),
  );
  tellEnd(channel, channel.stderr, channel);
  await within(TIMEOUT, skipTo(channel, mark), () => new Error(`it does not begin: ${command}`));
  return channel;
}

function skipTo(stream: Duplex, mark: string): Promise<void> {
  let seen = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    stream.once("close", () => reject(new Error("it ended at once")));
    const look = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const at = seen.indexOf(mark);
      if (at < 0) return;
      stream.off("data", look);
      stream.pause();
      stream.unshift(seen.subarray(at + mark.length));
      resolve();
    };
    stream.on("data", look);
  });
}
