import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa, type Options } from "execa";
import { parseDocument, stringify } from "yaml";
import { projectRoot } from "../../cli/toolchain/project";
import { guardProcess } from "./guard";
import { encrypted, encryptionSalt, PASSPHRASE } from "./passphrase";

/** What {@link createStack} takes. */
export interface StackOptions {
  /** A folder, made if it is missing; the project and the state of its stacks live in it. */
  readonly dir: string;
  readonly stack: string;
  /** Where the state is kept, as for `pulumi login`; a folder beside the project by default. */
  readonly backend?: string | undefined;
  /** PATH with the toolchain, and what the providers need: PG*, VAULT_*. */
  readonly env: Readonly<Record<string, string>>;
  /** Keys of the project's namespace; objects are written as they are. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The same, kept encrypted. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Another program, in CommonJS, instead of the real one, for a benchmark to compare with. */
  readonly program?: string;
}

/** What a `pulumi` command answered. */
export interface PulumiResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** A stack of the real program in a project folder of its own, so that many can run at once and none touches the checkout. */
export interface Stack {
  /** Where `pulumi` runs by hand. */
  readonly projectDir: string;
  readonly stateDir: string;
  readonly name: string;
  /** All that a shell needs to run `pulumi` here. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `pulumi`; a non-zero exit is an answer, not an exception. */
  pulumi(args: readonly string[], options?: RunOptions): Promise<PulumiResult>;
  /** Sets a config key in the stack's file; `undefined` removes it. */
  configure(key: string, value: unknown): Promise<void>;
  /** Sets a secret config key, encrypted, in the stack's file. */
  configureSecret(key: string, value: string): Promise<void>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Receives the process once it runs, for tests that kill it. */
  readonly onStart?: (pid: number) => void;
  /** Receives what it prints, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** What the project folder shares with the checkout. */
const SHARED = ["main.cjs", "sdk-on-demand.cjs", "node_modules", "dist", "Pulumi.yaml"];

/** Makes the project folder and the stack; nothing is deployed yet. */
export async function createStack(options: StackOptions): Promise<Stack> {
  const { dir, stack: name, config, secrets } = options;
  const [projectDir, stateDir] = [join(dir, "project"), join(dir, "state")];
  // A reader of the state who knows a lab's passphrase has every secret.
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await Promise.all([mkdir(projectDir, { recursive: true }), mkdir(stateDir, { recursive: true })]);
  const root = projectRoot();
  const shared = SHARED.filter(
    (file) => (file !== "main.cjs" || options.program === undefined) && !existsSync(join(projectDir, file)),
  );
  await Promise.all(shared.map((file) => symlink(join(root, file), join(projectDir, file))));
  await writeFile(join(projectDir, "package.json"), await manifest(root));
  if (options.program !== undefined) await writeFile(join(projectDir, "main.cjs"), options.program);
  const env = {
    ...options.env,
    PULUMI_BACKEND_URL: options.backend ?? `file://${stateDir}`,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
    PULUMI_HOME: join(dir, "pulumi-home"),
    // Go collects garbage from 4 MB on: a sixth of the processor time of a command that lives for a second.
    GOGC: process.env.GOGC ?? "400",
  };

  const settings: Record<string, unknown> = { ...config };
  const file = join(projectDir, `Pulumi.${name}.yaml`);
  const pulumi: Stack["pulumi"] = (args, run = {}) => runPulumi(projectDir, { ...env, ...run.env }, args, run);
  // By an editor, as it were: `pulumi config set` takes a third of a second and leaves JSON in a string.
  const configure = async (key: string, value: unknown) => {
    const document = parseDocument(await readFile(file, "utf8"));
    const place = ["config", `secret-rotation:${key}`];
    if (value === undefined) document.deleteIn(place);
    else document.setIn(place, document.createNode(value));
    // Quoted, since Pulumi takes a bare 2027-02-20T02:00:00Z for more than text.
    await writeFile(file, document.toString({ defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" }));
  };

  // As `pulumi config set --secret` does it, which ends the text before a last line break.
  const secure = async (value: string) => ({ secure: await encrypted(value.replace(/\r?\n$/, "")) });
  const configureSecret = async (key: string, value: string) => configure(key, await secure(value));

  for (const [key, value] of Object.entries(secrets)) settings[key] = await secure(value);
  const whole = { encryptionsalt: await encryptionSalt(), config: prefixed(settings) };
  // As Pulumi reads it: a bare 2027-02-20T02:00:00Z would be more than text.
  await writeFile(file, stringify(whole, { version: "1.1" }));
  const { exitCode, stderr } = await pulumi(["stack", "init", name, "--secrets-provider", "passphrase"]);
  if (exitCode !== 0) throw new Error(`pulumi stack init failed: ${stderr}`);
  return { projectDir, stateDir, name, env, pulumi, configure, configureSecret };
}

/** The checkout's manifest without its command: `npx` would install the folder first, which is made of links. */
async function manifest(root: string): Promise<string> {
  const { bin: _, ...rest } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { bin: unknown };
  return JSON.stringify(rest, null, 2);
}

const prefixed = (settings: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(settings).map(([key, value]) => [`secret-rotation:${key}`, value]));

async function runPulumi(
  cwd: string,
  env: Record<string, string>,
  args: readonly string[],
  run: RunOptions,
): Promise<PulumiResult> {
  const started = performance.now();
  const settings = {
    cwd,
    env,
    reject: false,
    stripFinalNewline: false,
    ...(run.input === undefined ? { stdin: "ignore" } : { input: run.input }),
  } satisfies Options;
  const child = execa("pulumi", [...args, "--non-interactive"], settings);
  const release = child.pid === undefined ? undefined : guardProcess(child.pid, "TERM");
  if (child.pid !== undefined) run.onStart?.(child.pid);
  child.stdout?.setEncoding("utf8").on("data", (text: string) => run.onOutput?.(text));
  const { exitCode, stdout, stderr } = await child.finally(release);
  return { exitCode: exitCode ?? 1, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}
