import path from "node:path";
import { resolveKubernetesValidate, resolveMoto, resolveOpenBao } from "../../dev/toolchain/servers";
import { cacheRoot } from "./cache";
import { type Context, resolveEngine } from "./engine";
import { findOnPath } from "./find";
import { Progress, stderrSink } from "./progress";
import { resolveProviders, unseenFolders } from "./providers";
import type { ResolveOptions, Toolchain, ToolName } from "./types";

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
    retry: options.retry ?? false,
  };
}

/** The PATH that puts `folders` first and lets the language host find Node.js. */
async function pathWith(folders: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const node = (await findOnPath("node", env)) === undefined ? [path.dirname(process.execPath)] : [];
  const parts = [...folders, ...(env.PATH ?? "").split(path.delimiter), ...node];
  return [...new Set(parts.filter((folder) => folder !== ""))].join(path.delimiter);
}

async function resolveEngineAndPlugins(context: Context) {
  const engine = await resolveEngine(context);
  return { ...engine, ...(await resolveProviders(engine.pulumi.path, context)) };
}

type Servers = Pick<Toolchain, "openbao" | "moto" | "kubernetesValidate">;

async function resolveServers(need: readonly ToolName[], context: Context): Promise<Servers> {
  return {
    ...(need.includes("openbao") ? { openbao: await resolveOpenBao(context) } : {}),
    ...(need.includes("moto") ? { moto: await resolveMoto(context) } : {}),
    ...(need.includes("kubernetes-validate") ? { kubernetesValidate: await resolveKubernetesValidate(context) } : {}),
  };
}

/** Both, and the end of both also where one fails, so that nothing is left running. @throws what the first one threw, or the second */
async function together<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** The folders of what the toolchain made itself: to be put on PATH, so that `pulumi` is found. */
export function madeFolders({ pulumi, languageHost }: Pick<Toolchain, "pulumi" | "languageHost">): string[] {
  const made = [pulumi, languageHost].filter((tool) => tool.source !== "PATH").map((tool) => path.dirname(tool.path));
  return [...new Set(made)];
}

/**
 * PATH with `pulumi` on it, from what is there already; nothing is downloaded or built.
 * @throws ToolchainError where it is neither on PATH nor made
 */
export async function pathOfEngine(env: NodeJS.ProcessEnv): Promise<string> {
  return pathWith(madeFolders(await resolveEngine(contextOf({ env, offline: true }))), env);
}

/**
 * Finds or makes what the project runs. In this order: a program on PATH (or a plugin in the plugin folder), the
 * cache, the official download, a build from Go modules or an installation from PyPI; for provider plugins, at last,
 * this project's offline ones, which serve a lab's stack alone. The first call can take minutes, later ones well under a second.
 * @throws ToolchainError with what was tried and what to install
 */
export async function resolveToolchain(options: ResolveOptions = {}): Promise<Toolchain> {
  const context = contextOf(options);
  const need = options.need ?? ["pulumi"];
  // A build works while installations wait for the network.
  const [{ pulumi, languageHost, plugins, launchers }, servers] = await together(
    resolveEngineAndPlugins(context),
    resolveServers(need, context),
  );
  const installed = Object.values(plugins).filter(
    ({ source }) => source === "plugin folder" || source === "plugin install",
  );
  const unseen = unseenFolders(
    installed.map((tool) => tool.path),
    context.env,
  );
  return {
    pulumi,
    languageHost,
    plugins,
    ...servers,
    env: {
      PATH: await pathWith(
        [...(launchers === undefined ? [] : [launchers]), ...unseen, ...madeFolders({ pulumi, languageHost })],
        context.env,
      ),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...(launchers === undefined ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
    },
  };
}
