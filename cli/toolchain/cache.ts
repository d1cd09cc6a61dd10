import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { lock } from "proper-lockfile";
import * as z from "zod";
import { poll } from "../../clients/poll";
import { homeOf } from "../../config/home";
import type { Progress } from "./progress";
import { ToolchainError } from "./types";

/** What a recipe has made in its folder. */
export interface Made {
  source: "download" | "go modules" | "pypi";
  /** Version by tool. */
  versions: Record<string, string>;
  /** Path by tool, relative to the folder. */
  files: Record<string, string>;
}

/** How to make one entry of the cache. */
export interface Recipe {
  /** Name of the entry: tool, version, platform. */
  key: string;
  /** For people: "Pulumi CLI v3.250.0". */
  label: string;
  /** Makes the entry in an empty folder that keeps its path for good. */
  make(folder: string): Promise<Made>;
}

/** An entry as found in or added to the cache. */
export interface Entry extends Made {
  folder: string;
  /** False when this call made it. */
  cached: boolean;
}

const recordSchema = z.object({
  folder: z.string(),
  source: z.enum(["download", "go modules", "pypi"]),
  versions: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.string()),
  sizes: z.record(z.string(), z.number()),
});

/**
 * The cache folder: $SECRET_ROTATION_CACHE, else `secret-rotation` in $XDG_CACHE_HOME, else in the cache folder below HOME.
 * @throws ToolchainError if there is no home either
 */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  if (env.SECRET_ROTATION_CACHE) return path.resolve(env.SECRET_ROTATION_CACHE);
  const below = process.platform === "darwin" ? path.join("Library", "Caches") : ".cache";
  const home = homeOf(env);
  const given =
    path.isAbsolute(env.XDG_CACHE_HOME ?? "") && process.platform !== "darwin" ? env.XDG_CACHE_HOME : undefined;
  const folder = given ?? (home && path.join(home, below));
  if (folder === undefined) {
    throw new ToolchainError("there is no home folder for the cache: set HOME, or SECRET_ROTATION_CACHE to a folder");
  }
  return path.resolve(folder, "secret-rotation");
}

const recordFile = (root: string, key: string) => path.join(root, `${key}.json`);

/** The size of a regular file; a link (into the system's Python, say) only needs a target. */
async function sizeOf(file: string): Promise<number> {
  if ((await lstat(file)).isSymbolicLink()) return (await stat(file)).isFile() ? 0 : -1;
  return (await stat(file)).size;
}

/** Reads a finished entry; undefined when there is none or when its files are gone or truncated. */
export async function readEntry(root: string, key: string): Promise<Entry | undefined> {
  try {
    const record = recordSchema.parse(JSON.parse(await readFile(recordFile(root, key), "utf8")));
    const folder = path.join(root, record.folder);
    for (const [name, file] of Object.entries(record.files)) {
      if ((await sizeOf(path.join(folder, file))) !== record.sizes[name]) return undefined;
    }
    const { source, versions, files } = record;
    return { folder, source, versions, files, cached: true };
  } catch {
    return undefined;
  }
}

async function publish(root: string, key: string, folder: string, made: Made): Promise<void> {
  const sizes: Record<string, number> = {};
  for (const [name, file] of Object.entries(made.files)) sizes[name] = await sizeOf(path.join(root, folder, file));
  const temporary = path.join(root, `${folder}.json.tmp`);
  await writeFile(temporary, `${JSON.stringify({ folder, ...made, sizes }, null, 2)}\n`);
  await rename(temporary, recordFile(root, key));
}

async function removeLeftovers(root: string, key: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name.startsWith(`${key}@`)) await rm(path.join(root, name), { recursive: true, force: true });
  }
}

async function makeEntry(root: string, recipe: Recipe): Promise<Entry> {
  // Under the lock no other process makes this entry: leftovers come from a process that was killed.
  await removeLeftovers(root, recipe.key);
  const folder = `${recipe.key}@${randomBytes(4).toString("hex")}`;
  await mkdir(path.join(root, folder));
  try {
    const made = await recipe.make(path.join(root, folder));
    await publish(root, recipe.key, folder, made);
    return { ...made, folder: path.join(root, folder), cached: false };
  } catch (error) {
    await rm(path.join(root, folder), { recursive: true, force: true });
    throw error;
  }
}

export interface EnsureOptions {
  progress: Progress;
  /** Milliseconds after which the lock of a killed process counts as abandoned (at least 2000). Default: 20 s. */
  staleAfter?: number;
}

/**
 * Returns the entry, making it if it is not there. Of several callers, in this or other processes, one makes
 * it and the others wait; a maker that was killed is succeeded by the next caller.
 */
export async function ensureEntry(root: string, recipe: Recipe, options: EnsureOptions): Promise<Entry> {
  const { progress, staleAfter = 20_000 } = options;
  await mkdir(root, { recursive: true });
  const found = await readEntry(root, recipe.key);
  if (found !== undefined) return found;
  const release = await acquire(path.join(root, `${recipe.key}.lock`), staleAfter, (work) =>
    progress.during(`waiting for another process that prepares ${recipe.label}`, undefined, work),
  );
  try {
    const meanwhile = await readEntry(root, recipe.key);
    if (meanwhile !== undefined) return meanwhile;
    const entry = await makeEntry(root, recipe);
    progress.note(`${recipe.label} is kept in ${entry.folder}`);
    return entry;
  } finally {
    // A lock that another process has taken meanwhile (this computer slept, say) is not ours to release.
    await release().catch(() => undefined);
  }
}

type Release = () => Promise<void>;

async function acquire(
  file: string,
  stale: number,
  whileWaiting: (work: () => Promise<Release>) => Promise<Release>,
): Promise<Release> {
  const attempt = async (): Promise<Release | undefined> => {
    try {
      return await lock(file, {
        realpath: false,
        lockfilePath: file,
        stale,
        update: stale / 4,
        // Publishing is atomic, so a second maker costs time only: nothing to stop here.
        onCompromised: () => undefined,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
      throw error;
    }
  };
  const first = await attempt();
  if (first !== undefined) return first;
  // Without a limit, polling ends with the lock or an error.
  return await whileWaiting(
    async () => (await poll(attempt, (release) => release !== undefined, { every: 250 })) as Release,
  );
}
