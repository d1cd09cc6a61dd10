import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import * as z from "zod";
import { StepError } from "../core/errors";
import { within } from "./poll";

/** Milliseconds that a login may take. */
const LOGIN_LIMIT = 60_000;

/** What the session's process says: a token, or why there is none. */
export const sessionAnswer = z.union([z.object({ token: z.string() }), z.object({ error: z.string() })]);

export type SessionAnswer = z.output<typeof sessionAnswer>;

/** A run's own login to Vault, in a process of its own: it revokes the token once this process has ended, however it ends. */
interface Opened {
  readonly child: ChildProcess;
  readonly lines: Interface;
}

let opened: Opened | undefined;
let asked: Promise<string> | undefined;
let opener: (() => Promise<unknown>) | undefined;

/**
 * Begins a session; it logs in when the token is needed for the first time.
 *
 * @param program the session's program (`steps/vault-session.ts`)
 * @param order what it is told: how to reach Vault and how to log in; over stdin, since it holds credentials
 */
export function openVaultSession(program: string, order: Readonly<Record<string, unknown>>): void {
  if (opened !== undefined) return;
  // A session of its own: Ctrl-C ends what is in the foreground, and the token is needed until all of that has ended.
  const child = spawn(process.execPath, [program], { detached: true, stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const lines = createInterface({ input: child.stdout });
  opened = { child, lines };
  quiet(opened);
}

/** Lets a command open a session only when it is needed: that of the project which it read last. */
export function openWhenNeeded(open: () => Promise<unknown>): void {
  opener = open;
}

/** Whether this process has a login of its own, or may open one when it is needed: whether it does, the config says. */
export const mayHaveOwnSession = (): boolean => opened !== undefined || opener !== undefined;

/** The token of this process's own login; opens it now if a command said how. Undefined if the config names none. */
export async function ownSession(): Promise<string | undefined> {
  const open = opener;
  if (opened === undefined && open !== undefined) {
    await open();
    if (opener === open) opener = undefined;
  }
  return ownSessionToken();
}

/** A process with an open session may end. */
function quiet({ child }: Opened): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?(): void }).unref?.();
}

/** The token of the session that this process opened; undefined if it opened none. @throws StepError if the login fails */
export function ownSessionToken(): Promise<string> | undefined {
  if (opened === undefined) return undefined;
  asked ??= askOwn(opened).catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

async function askOwn(session: Opened): Promise<string> {
  const { child, lines } = session;
  (child.stdout as unknown as { ref?(): void }).ref?.();
  const answer = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    child.once("exit", () => reject(new StepError("the process that logs in to Vault has ended")));
  });
  child.stdin?.write("token\n");
  try {
    return use(await within(LOGIN_LIMIT, answer, noAnswer));
  } finally {
    quiet(session);
  }
}

/**
 * The token of the run, for a step.
 *
 * @param session the run's name, from the step's input
 * @throws StepError if there is no session, or its login fails
 */
export async function sessionToken(session: string): Promise<string> {
  return (await ownSession()) ?? askRun(session);
}

/** The place where a run's session answers its steps: only this account may enter. */
export function socketOf(session: string): string {
  const folder = join(tmpdir(), `secret-rotation-${process.getuid?.() ?? "user"}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (found.mode & 0o077) !== 0 || (process.getuid?.() ?? found.uid) !== found.uid)
    throw new StepError(`expected a folder that only this account may enter, found another at ${folder}: remove it`);
  // Two stacks, or two checkouts, have a session each.
  const name = createHash("sha256").update(`${process.cwd()}\n${session}`).digest("hex").slice(0, 24);
  return join(folder, `${name}.sock`);
}

async function askRun(session: string): Promise<string> {
  const socket = connect(socketOf(session));
  const answer = new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    socket.once("error", () => reject(new StepError(NO_SESSION)));
  });
  try {
    return use(await within(LOGIN_LIMIT, answer, noAnswer));
  } finally {
    socket.destroy();
  }
}

const NO_SESSION =
  "no token for Vault: store.auth gives one to `pulumi up` and to `rotation`, and neither runs; run one of them, or set VAULT_TOKEN";

const noAnswer = () => new StepError(`no login to Vault within ${LOGIN_LIMIT / 1000} s`);

/** Kept where every credential of a run is: then it is redacted from all messages. */
function use(line: string): string {
  const answer = sessionAnswer.parse(JSON.parse(line));
  if ("error" in answer) throw new StepError(answer.error);
  process.env.VAULT_TOKEN = answer.token;
  return answer.token;
}
