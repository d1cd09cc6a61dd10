import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pluginHomes } from "../../clients/home";
import { messageOf } from "../../core/errors";
import type { Context } from "./engine";
import { findIn, findOnPath, head, parseVersion } from "./find";
import { isOfflineLauncher, writeLaunchers } from "./launchers";
import { downloadPlugin, type PluginDownload } from "./plugin-download";
import { pinnedPlugins } from "./project";
import { run } from "./run";
import type { PluginTool } from "./types";

const hour = 3_600_000;
const officialServer = "https://get.pulumi.com/";
const answerLimit = 3_000;
const installLimit = 120_000;

const onPath = (name: string, env: NodeJS.ProcessEnv) =>
  findOnPath(`pulumi-resource-${name}`, env, async (file) => !isOfflineLauncher(await head(file)));

/** The file of the real plugin: on PATH, else in the plugin folder in exactly this version; undefined if there is none. */
export async function fileOfReal(name: string, version: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return (await onPath(name, env)) ?? (await findInPluginFolder(name, version, env))?.path;
}

/** The folders that must be put on PATH because Pulumi does not search them: it takes the home from passwd, not from HOME. */
export function unseenFolders(files: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const others = pluginHomes(env).slice(1);
  const unseen = files.filter((file) => others.some((home) => file.startsWith(path.join(home, "plugins", path.sep))));
  return unseen.map((file) => path.dirname(file));
}

async function findReal(name: string, version: string, env: NodeJS.ProcessEnv): Promise<PluginTool | undefined> {
  const file = await onPath(name, env);
  if (file !== undefined) {
    const output = await run(file, ["--version"], { env }).catch(() => "");
    return { path: file, version: parseVersion(output) ?? "unknown", source: "PATH", cached: false, kind: "real" };
  }
  return await findInPluginFolder(name, version, env);
}

async function findInPluginFolder(name: string, version: string, env: NodeJS.ProcessEnv) {
  for (const home of pluginHomes(env)) {
    const folder = path.join(home, "plugins", `resource-${name}-v${version}`);
    // The engine leaves this mark while an installation is under way.
    const file = existsSync(`${folder}.partial`) ? undefined : await findIn(folder, `pulumi-resource-${name}`);
    if (file === undefined) continue;
    return { path: file, version, source: "plugin folder", cached: false, kind: "real" } satisfies PluginTool;
  }
  return undefined;
}

/**
 * Whether the official plugin server answers. A "no" is remembered for an hour, so that a lab's many calls wait once, and
 * reported each time; `retry` tries again.
 */
async function networkAllows(server: string, { cache, progress, retry }: Context): Promise<boolean> {
  const memory = path.join(cache, "network-unreachable");
  const since = Number(await readFile(memory, "utf8").catch(() => "0"));
  const minutes = Math.round((Date.now() - since) / 60_000);
  if (Date.now() - since < hour && !retry) {
    progress.note(
      `${server} did not answer ${minutes} min ago, and is not tried again within the hour; continuing without it`,
    );
    return false;
  }
  try {
    await fetch(server, { method: "HEAD", signal: AbortSignal.timeout(answerLimit) });
    await rm(memory, { force: true });
    return true;
  } catch {
    progress.note(`${server} does not answer; continuing without installing plugins`);
    await writeFile(memory, String(Date.now())).catch(() => undefined);
    return false;
  }
}

async function install(name: string, version: string, pulumi: string, context: Context, download: Download) {
  const folder = await mkdtemp(path.join(tmpdir(), "pulumi-plugin-"));
  const env = { ...context.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  try {
    await context.progress.during(`installing the ${name} plugin v${version}`, undefined, async () => {
      // Pulumi itself would not check what its server sends.
      const file = await download(folder, { name, version });
      await run(pulumi, ["plugin", "install", "resource", name, version, "--file", file], {
        env,
        timeout: installLimit,
      });
    });
  } catch (error) {
    context.progress.note(`${messageOf(error).split("\n")[0]}; continuing without it`);
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const found = await findInPluginFolder(name, version, context.env);
  return found && { ...found, source: "plugin install" as const };
}

type Download = (folder: string, plugin: PluginDownload) => Promise<string>;

/** The plugins, and the folder to put in front of PATH when offline ones are among them. */
export interface Providers {
  plugins: Record<string, PluginTool>;
  launchers: string | undefined;
}

/**
 * Finds the real plugins, installs those missing if the network allows it, and replaces the rest by offline ones, which
 * serve only a lab's stack.
 * @param server must answer before an installation is tried
 * @param download gets a plugin's archive and verifies it; one that it refuses is not installed
 */
export async function resolveProviders(
  pulumi: string,
  context: Context,
  server: string = officialServer,
  download: Download = downloadPlugin,
): Promise<Providers> {
  const plugins: Record<string, PluginTool> = {};
  const missing: [name: string, version: string][] = [];
  for (const [name, version] of Object.entries(pinnedPlugins())) {
    const real = await findReal(name, version, context.env);
    if (real === undefined) missing.push([name, version]);
    else plugins[name] = real;
  }
  if (missing.length > 0 && !context.offline && (await networkAllows(server, context))) {
    for (const [name, version] of missing) {
      const installed = await install(name, version, pulumi, context, download);
      if (installed !== undefined) plugins[name] = installed;
    }
  }
  const offline = missing.filter(([name]) => plugins[name] === undefined);
  if (offline.length === 0) return { plugins, launchers: undefined };
  const launchers = await writeLaunchers(context.cache, Object.fromEntries(offline));
  for (const [name, version] of offline) {
    const file = path.join(launchers, `pulumi-resource-${name}`);
    plugins[name] = { path: file, version, source: "offline plugin", cached: false, kind: "offline" };
  }
  return { plugins, launchers };
}
