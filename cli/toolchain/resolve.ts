import path from "node:path";
import { cacheRoot } from "./cache";
import { type Context, resolveEngine } from "./engine";
import { findOnPath } from "./find";
import { Progress, stderrSink } from "./progress";
import { resolveProviders, unseenFolders } from "./providers";
import type { PulumiTools, ResolveOptions } from "./types";

/** The defaults are this process's own. */
export function contextOf(options: ResolveOptions): Context {
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

/** The folders of what the toolchain made, to be put on PATH. */
export function madeFolders({ pulumi, languageHost }: Pick<PulumiTools, "pulumi" | "languageHost">): string[] {
  const made = [pulumi, languageHost].filter((tool) => tool.source !== "PATH").map((tool) => path.dirname(tool.path));
  return [...new Set(made)];
}

/**
 * PATH with `pulumi` on it, from what is already installed; nothing is downloaded or built.
 * @throws ToolchainError if it is neither on PATH nor in the cache
 */
export async function pathOfEngine(env: NodeJS.ProcessEnv): Promise<string> {
  return pathWith(madeFolders(await resolveEngine(contextOf({ env, offline: true }))), env);
}

/**
 * Finds or makes the Pulumi CLI with the provider plugins. In this order: a program on PATH (or a plugin in the plugin
 * folder), the cache, the official download, a build from Go modules; for plugins, at last, this project's offline ones,
 * which serve only a lab's stack.
 * @throws ToolchainError with what was tried and what to install
 */
export async function resolvePulumi(context: Context): Promise<PulumiTools> {
  const { pulumi, languageHost } = await resolveEngine(context);
  const { plugins, launchers } = await resolveProviders(pulumi.path, context);
  const installed = Object.values(plugins).filter(
    ({ source }) => source === "plugin folder" || source === "plugin install",
  );
  const unseen = unseenFolders(
    installed.map((tool) => tool.path),
    context.env,
  );
  const folders = [
    ...(launchers === undefined ? [] : [launchers]),
    ...unseen,
    ...madeFolders({ pulumi, languageHost }),
  ];
  return {
    pulumi,
    languageHost,
    plugins,
    env: {
      PATH: await pathWith(folders, context.env),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...(launchers === undefined ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
    },
  };
}
