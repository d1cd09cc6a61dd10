import path from "node:path";
import { messageOf } from "../../core/errors";
import { type Entry, ensureEntry, type Made, type Recipe, readEntry } from "./cache";
import { downloadEngine } from "./download";
import { findIn, findOnPath, parseVersion } from "./find";
import { buildFromGo } from "./go";
import type { Progress } from "./progress";
import { versions } from "./project";
import { run } from "./run";
import { type Tool, ToolchainError } from "./types";

export interface Context {
  cache: string;
  env: NodeJS.ProcessEnv;
  progress: Progress;
  offline: boolean;
  /** Tries a server again that did not answer within the last hour. */
  retry?: boolean;
}

/** One way to get a tool. */
export interface Attempt {
  name: string;
  make(folder: string): Promise<Made>;
}

const platform = `${process.platform}-${process.arch}`;

/**
 * Tries one way after the other.
 * @throws ToolchainError with the failure of each way, then `advice`
 */
export async function firstThatWorks(
  what: string,
  attempts: readonly Attempt[],
  advice: string,
  folder: string,
  note: (text: string) => void,
): Promise<Made> {
  const failures: string[] = [];
  for (const attempt of attempts) {
    try {
      return await attempt.make(folder);
    } catch (error) {
      const reason = messageOf(error);
      failures.push(`  ${attempt.name}: ${reason.replaceAll("\n", "\n    ")}`);
      if (attempt !== attempts.at(-1)) note(`${attempt.name}: ${reason.split("\n")[0]}; trying the next way`);
    }
  }
  throw new ToolchainError(`${what} was not found and could not be made.\n${failures.join("\n")}\n${advice}`);
}

const advice =
  "Install Pulumi (https://www.pulumi.com/docs/iac/download-install/) so that `pulumi` is on PATH,\n" +
  "or Go 1.25.11 or newer (https://go.dev/dl/) so that it can be built, then run `npm run toolchain`.";

const offlineAttempt: Attempt = {
  name: "download and build",
  make: async () => {
    throw new Error("not tried (offline): only what is already installed is used");
  },
};

function engineAttempts({ env, progress, offline }: Context): Attempt[] {
  if (offline) return [offlineAttempt];
  return [
    {
      name: "official download",
      make: (folder) => downloadEngine(folder, { version: versions.pulumi, env, progress }),
    },
    { name: "build from Go modules", make: (folder) => buildFromGo(folder, { env, progress }) },
  ];
}

function hostAttempts({ env, progress, offline }: Context): Attempt[] {
  if (offline) return [offlineAttempt];
  const only = ["languageHost"] as const;
  return [{ name: "build from Go modules", make: (folder) => buildFromGo(folder, { env, progress, only }) }];
}

const engineRecipe = (context: Context): Recipe => ({
  key: `pulumi-v${versions.pulumi}-${platform}`,
  label: `the Pulumi CLI v${versions.pulumi}`,
  make: (folder) =>
    firstThatWorks(
      `The Pulumi CLI (pulumi on PATH, or v${versions.pulumi})`,
      engineAttempts(context),
      advice,
      folder,
      (text) => context.progress.note(text),
    ),
});

const hostRecipe = (context: Context): Recipe => ({
  key: `language-nodejs-v${versions.languageHost}-${platform}`,
  label: `the Node.js language host v${versions.languageHost}`,
  make: (folder) =>
    firstThatWorks("pulumi-language-nodejs", hostAttempts(context), advice, folder, (text) =>
      context.progress.note(text),
    ),
});

/** A recipe's entry; offline only an existing one, without waiting for a process that makes it. @throws ToolchainError */
async function entryOf(recipe: Recipe, context: Context): Promise<Entry> {
  if (!context.offline) return ensureEntry(context.cache, recipe, context);
  const there = await readEntry(context.cache, recipe.key);
  // Offline the recipe's one attempt says why there is none.
  return there ?? { ...(await recipe.make(context.cache)), folder: context.cache, cached: false };
}

/** The tool of that name in a cache entry. */
export function toolOf(entry: Entry, name: string): Tool {
  const file = entry.files[name];
  const version = entry.versions[name];
  if (file === undefined || version === undefined)
    throw new ToolchainError(`the cache entry ${entry.folder} has no ${name}; remove it and run npm run toolchain`);
  return { path: path.join(entry.folder, file), version, source: entry.source, cached: entry.cached };
}

async function hostFor(pulumi: Tool, context: Context): Promise<Tool> {
  const name = "pulumi-language-nodejs";
  const onPath = await findOnPath(name, context.env);
  const folder = path.dirname(pulumi.path);
  if (onPath !== undefined) {
    // Only the official bundle keeps the two side by side; its versions are the same.
    const version = path.dirname(onPath) === folder ? pulumi.version : "unknown";
    return { path: onPath, version, source: "PATH", cached: false };
  }
  const beside = await findIn(folder, name);
  if (beside !== undefined) return { path: beside, version: pulumi.version, source: "next to pulumi", cached: false };
  return toolOf(await entryOf(hostRecipe(context), context), "languageHost");
}

/**
 * The Pulumi CLI and its Node.js language host: from PATH, the cache, the official download or Go modules.
 * @throws ToolchainError with every way that was tried and what to install
 */
export async function resolveEngine(context: Context): Promise<{ pulumi: Tool; languageHost: Tool }> {
  const file = await findOnPath("pulumi", context.env);
  if (file === undefined) {
    const entry = await entryOf(engineRecipe(context), context);
    return { pulumi: toolOf(entry, "pulumi"), languageHost: toolOf(entry, "languageHost") };
  }
  const env = { ...context.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const version = parseVersion(
    await run(file, ["version"], { env, timeout: 30_000 }).catch((error: Error) => {
      throw new ToolchainError(`the pulumi on PATH does not run; fix it or take it off PATH.\n${error.message}`);
    }),
  );
  const pulumi: Tool = { path: file, version: version ?? "unknown", source: "PATH", cached: false };
  return { pulumi, languageHost: await hostFor(pulumi, context) };
}
