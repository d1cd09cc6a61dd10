import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Made } from "../../cli/toolchain/cache";
import { atLeast, findOnPath, parseVersion } from "../../cli/toolchain/find";
import type { Progress } from "../../cli/toolchain/progress";
import { projectRoot } from "../../cli/toolchain/project";
import { run } from "../../cli/toolchain/run";

const oldest = "3.10.0";
const candidates = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

interface Python {
  file: string;
  version: string;
  /** Whether it can make a virtual environment with pip in it. */
  venv: boolean;
}

async function inspect(file: string, env: NodeJS.ProcessEnv): Promise<Python | undefined> {
  const version = parseVersion(await run(file, ["--version"], { env }).catch(() => ""));
  if (version === undefined || !atLeast(version, oldest)) return undefined;
  const venv = await run(file, ["-c", "import venv, ensurepip"], { env }).then(
    () => true,
    () => false,
  );
  return { file, version, venv };
}

/**
 * A Python 3.10 or newer that can make virtual environments.
 * @throws Error naming what to install: Python, or the package that Debian splits `venv` into
 */
export async function findPython(env: NodeJS.ProcessEnv): Promise<Python> {
  let without: Python | undefined;
  for (const name of candidates) {
    const file = await findOnPath(name, env);
    const python = file === undefined ? undefined : await inspect(file, env);
    if (python?.venv) return python;
    without ??= python;
  }
  if (without === undefined) throw new Error(`no Python ${oldest.slice(0, 4)} or newer on PATH`);
  const short = without.version.split(".").slice(0, 2).join(".");
  throw new Error(
    `Python ${without.version} at ${without.file} cannot make virtual environments (no ensurepip); ` +
      `on Debian and Ubuntu install python${short}-venv: sudo apt-get install python${short}-venv`,
  );
}

/** Without a user's own settings that would install or import outside the virtual environment. */
function withoutTargets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const elsewhere = ["PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONPATH", "PYTHONHOME"];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !elsewhere.includes(name)));
}

/** A Python package that is a tool of ours. */
export interface PythonTool {
  /** Of its requirements file. */
  name: string;
  label: string;
  version: string;
  /** The program: a script in the environment's bin folder, or what a line of Python prints. */
  locate: { script: string } | { python: string };
}

/** Installs the tool's pinned, hashed requirements into a virtual environment in `folder`; nothing leaves it. */
export async function installPythonTool(
  folder: string,
  tool: PythonTool,
  options: { env: NodeJS.ProcessEnv; progress: Progress },
): Promise<Made> {
  const { progress } = options;
  const python = await findPython(options.env);
  const env = withoutTargets(options.env);
  const requirements = path.join(projectRoot(), "dev", "toolchain", "python", `requirements-${tool.name}.txt`);
  await readFile(requirements);
  const inVenv = path.join(folder, "venv", "bin", "python");
  await progress.during(`installing ${tool.label} v${tool.version} from PyPI`, undefined, async () => {
    await run(python.file, ["-m", "venv", path.join(folder, "venv")], { env, timeout: 120_000 });
    const quiet = ["--no-input", "--disable-pip-version-check", "--no-cache-dir", "--timeout", "15"];
    const install = ["-m", "pip", "install", ...quiet, "--require-hashes", "--only-binary", ":all:"];
    await run(inVenv, [...install, "--requirement", requirements], { env, timeout: 15 * 60_000 });
  });
  const files: Record<string, string> = { python: "venv/bin/python" };
  files[tool.name] =
    "script" in tool.locate
      ? `venv/bin/${tool.locate.script}`
      : path.relative(folder, (await run(inVenv, ["-c", tool.locate.python], { env })).trim());
  return { source: "pypi", versions: { [tool.name]: tool.version }, files };
}
