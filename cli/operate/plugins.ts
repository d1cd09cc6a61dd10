import { traitsOf } from "../../config";
import { schemaOf } from "../../stores/schemas";
import { UsageError } from "./errors";
import type { Project } from "./project";
import { pulumiEnvironment } from "./pulumi";
import { type Outline, readOutline } from "./settings";

/** The provider packages whose plugins the engine starts for a stack. */
export function packagesOf({ store, secrets }: Pick<Outline, "store" | "secrets">): string[] {
  const own = [...schemaOf(store).plugins, ...secrets.flatMap((secret) => traitsOf(secret).plugins)];
  return [...new Set(["command", "random", ...own])];
}

/**
 * The environment to start the engine in. Real plugins are used if they are installed. If one is missing, a stack
 * whose config says `lab` gets the offline one; any other stops here, before anything is changed.
 *
 * @throws UsageError that names each missing plugin with its version, and says how to get it
 */
export async function engineEnvironment(project: Project): Promise<NodeJS.ProcessEnv> {
  const env = await pulumiEnvironment(project.env);
  // Reading the whole config reports what is wrong with it; until then its stack is no lab.
  const outline = await readOutline(project).catch(() => undefined);
  const [{ fileOfReal, unseenFolders }, { pinnedPlugins }] = await Promise.all([
    import("../toolchain/providers"),
    import("../toolchain/project"),
  ]);
  const pinned = Object.entries(pinnedPlugins());
  const needed = outline === undefined ? [] : packagesOf(outline);
  const lab = outline?.lab !== undefined;
  const found = await Promise.all(
    pinned
      .filter(([name]) => lab || needed.includes(name))
      .map(async ([name, version]) => ({ name, version, real: await fileOfReal(name, version, env) })),
  );
  const missing = found.filter(({ real }) => real === undefined);
  const unseen = unseenFolders(
    found.flatMap(({ real }) => real ?? []),
    env,
  );
  if (missing.length === 0) return withFolders(env, unseen);
  if (!lab) {
    const { pluginAdvice } = await import("../toolchain/plugin-advice");
    const names = missing.map(({ name, version }) => `${name} v${version}`).join(", ");
    const which = missing.length === 1 ? "a provider plugin is" : "provider plugins are";
    throw new UsageError(`${which} missing: ${names}. Nothing was changed.\n${pluginAdvice(missing)}`);
  }
  const [{ writeLaunchers }, { cacheRoot }] = await Promise.all([
    import("../toolchain/launchers"),
    import("../toolchain/cache"),
  ]);
  const offline = Object.fromEntries(missing.map(({ name, version }) => [name, version]));
  const launchers = await writeLaunchers(cacheRoot(env), offline);
  return { ...withFolders(env, [launchers, ...unseen]), PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };
}

const withFolders = (env: NodeJS.ProcessEnv, folders: readonly string[]): NodeJS.ProcessEnv =>
  folders.length === 0 ? env : { ...env, PATH: [...folders, env.PATH ?? ""].join(":") };
