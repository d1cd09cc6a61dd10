import { copyFile, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { projectRoot } from "../../../cli/toolchain/project";
import type { Access } from "../../../dev/lab/access";

/** What a script printed, both streams as they came, and its exit code. */
export interface Ran {
  readonly exitCode: number;
  readonly output: string;
}

/** A checkout on somebody's own machine, before its first command: the platform is described, and no stack is there. */
export interface FreshStack {
  readonly dir: string;
  /** Runs a script as its reader would, in one shell after the other; `export` and `cd` of a script stay. */
  run(script: string): Promise<Ran>;
  /** Changes the settings file, as an editor would. */
  edit(change: (config: Record<string, unknown>) => void): Promise<void>;
}

interface Settings {
  readonly config: Record<string, unknown>;
}

/** Makes the checkout beside the lab's own stack, for the secrets named. */
export async function freshStack(access: Access, secrets: readonly string[]): Promise<FreshStack> {
  const root = join(dirname(dirname(access.projectDir)), "own");
  const [dir, home] = [join(root, "secret-rotation"), join(root, "home")];
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await mkdir(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  for (const name of await readdir(access.projectDir)) {
    const file = join(access.projectDir, name);
    if ((await lstat(file)).isSymbolicLink()) await symlink(await readlink(file), join(dir, name));
    else if (name === "package.json") await copyFile(file, join(dir, name));
  }
  await symlink(join(projectRoot(), "deploy"), join(dir, "deploy"));

  const file = join(dir, `Pulumi.${access.stack}.yaml`);
  const described = parse(await readFile(join(access.projectDir, `Pulumi.${access.stack}.yaml`), "utf8")) as Settings;
  await writeSettings(file, described.config, secrets);

  const { output } = await (await labStack(access)).run("pulumi config get sshPrivateKey");
  await writeFile(join(home, ".ssh", "rotation_ed25519"), output, { mode: 0o600 });
  const begin = `. ${access.envFile}\nunset PULUMI_BACKEND_URL\nexport PULUMI_HOME=${join(home, ".pulumi")}\ncd ${dir}\n`;
  return stackIn(dir, file, home, begin);
}

/** The lab's own stack: configured, and never run. */
export function labStack(access: Access): Promise<FreshStack> {
  const { projectDir, envFile, stack } = access;
  const begin = `. ${envFile}\ncd ${projectDir}\n`;
  return stackIn(projectDir, join(projectDir, `Pulumi.${stack}.yaml`), dirname(projectDir), begin);
}

async function stackIn(dir: string, file: string, home: string, begin: string): Promise<FreshStack> {
  const env = { HOME: home, PATH: process.env.PATH ?? "", TERM: "dumb" };
  const state = join(home, "shell-state");
  await writeFile(state, begin, { mode: 0o600 });
  return {
    dir,
    async run(script) {
      // What it exports is there for the next one.
      const words = `set -e\n. ${state}\n${script}\n{ export -p; echo "cd '$PWD'"; } > ${state}.new\nmv ${state}.new ${state}`;
      const { exitCode, all } = await execa("/bin/sh", ["-c", words], {
        env,
        extendEnv: false,
        reject: false,
        all: true,
        stdin: "ignore",
        stripFinalNewline: false,
      });
      return { exitCode: exitCode ?? 1, output: all ?? "" };
    },
    async edit(change) {
      const settings = parse(await readFile(file, "utf8")) as Settings;
      change(settings.config);
      await writeFile(file, stringify(settings, { version: "1.1" }));
    },
  };
}

/** What a user writes: no secret, and only what they rotate. */
async function writeSettings(file: string, config: Record<string, unknown>, names: readonly string[]): Promise<void> {
  const isSecret = (value: unknown) => typeof value === "object" && value !== null && "secure" in value;
  const all = config["secret-rotation:secrets"] as readonly { readonly kind: string; readonly name?: string }[];
  const chosen = all.filter(({ kind, name }) => names.includes(name ?? kind));
  const plain = Object.entries(config).filter(([, value]) => !isSecret(value));
  const settings = { config: { ...Object.fromEntries(plain), "secret-rotation:secrets": chosen } };
  await writeFile(file, stringify(settings, { version: "1.1" }));
}
