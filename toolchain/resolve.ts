import path from "node:path";
import { cacheRoot } from "./cache";
import { type Context, resolveEngine } from "./engine";
import { findOnPath } from "./find";
import { Progress, stderrSink } from "./progress";
import { resolveProviders } from "./providers";
import { resolveKubernetesValidate, resolveMoto, resolveOpenBao } from "./servers";
import type { ResolveOptions, Toolchain } from "./types";

export type { PluginTool, ResolveOptions, Tool, Toolchain, ToolName } from "./types";
export { ToolchainError } from "./types";

function contextOf(options: ResolveOptions): Context {
  const env = options.env ?? process.env;
  const { onProgress } = options;
  return {
    env,
    cache: options.cacheDir ?? cacheRoot(env),
    progress: new Progress(onProgress === undefined ? stderrSink() : { line: onProgress }),
    offline: options.offline ?? false,
  };
}

/** The PATH that puts `folders` first and lets the language host find Node.js. */
async function pathWith(folders: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const node = (await findOnPath("node", env)) === undefined ? [path.dirname(process.execPath)] : [];
  const parts = [...folders, ...(env.PATH ?? "").split(path.delimiter), ...node];
  return [...new Set(parts.filter((folder) => folder !== ""))].join(path.delimiter);
}

/**
 * Finds or makes what the project runs. In this order: a program on PATH (or a plugin in the plugin folder), the
 * cache, the official download, a build from Go modules or an installation from PyPI; for provider plugins, at last,
 * this project's offline ones. The first call can take minutes, later ones well under a second.
 * @throws ToolchainError with what was tried and what to install
 */
export async function resolveToolchain(options: ResolveOptions = {}): Promise<Toolchain> {
  const context = contextOf(options);
  const need = options.need ?? ["pulumi"];
  const { pulumi, languageHost } = await resolveEngine(context);
  const { plugins, launchers } = await resolveProviders(pulumi.path, context);
  const openbao = need.includes("openbao") ? await resolveOpenBao(context) : undefined;
  const moto = need.includes("moto") ? await resolveMoto(context) : undefined;
  const kubernetesValidate = need.includes("kubernetes-validate")
    ? await resolveKubernetesValidate(context)
    : undefined;
  const made = [pulumi, languageHost].filter((tool) => tool.source !== "PATH").map((tool) => path.dirname(tool.path));
  return {
    pulumi,
    languageHost,
    plugins,
    ...(openbao === undefined ? {} : { openbao }),
    ...(moto === undefined ? {} : { moto }),
    ...(kubernetesValidate === undefined ? {} : { kubernetesValidate }),
    env: {
      PATH: await pathWith([...(launchers === undefined ? [] : [launchers]), ...made], context.env),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...(launchers === undefined ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
    },
  };
}
