import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ensureEntry, type Made, type Recipe, readEntry } from "../../../cli/toolchain/cache";
import { run } from "../../../cli/toolchain/run";
import { poll } from "../../../dev/lab/poll";
import { bundled, silent, testFolder } from "./support";

const made: Made = { source: "go modules", versions: { tool: "1.0.0" }, files: { tool: "tool" } };

/** A recipe whose command notes each start in `builds`, and ends once the file `gate` is there. */
const gated = (folder: string): Recipe => ({
  key: "tool-1.0.0",
  label: "the tool v1.0.0",
  make: async (target) => {
    const command = `echo start >> ${folder}/builds; until [ -e ${folder}/gate ]; do sleep 0.05; done; echo hello > ${target}/tool`;
    await run("sh", ["-c", command], { env: process.env, timeout: 30_000 });
    return made;
  },
});

const open = (folder: string) => writeFile(path.join(folder, "gate"), "");
const builds = async (folder: string) =>
  (await readFile(path.join(folder, "builds"), "utf8").catch(() => "")).split("\n").filter((line) => line !== "")
    .length;
const firstBuild = (folder: string) =>
  poll(async () => (await builds(folder)) > 0, { what: "the first build", limitMs: 60_000 });

/** The same recipe in a process of its own. */
async function inOtherProcess(folder: string, cache: string): Promise<ChildProcess> {
  const modules = await bundled("cache", "progress", "run");
  const code = `
    import { ensureEntry } from ${JSON.stringify(path.join(modules, "cache.mjs"))};
    import { Progress } from ${JSON.stringify(path.join(modules, "progress.mjs"))};
    import { execFileSync, spawn } from "node:child_process";
    import { once } from "node:events";
    const make = async (target) => {
      const command = 'echo start >> ${folder}/builds; until [ -e ${folder}/gate ]; do sleep 0.05; done; echo hello > ' + target + '/tool';
      await once(spawn("sh", ["-c", command]), "exit");
      return ${JSON.stringify(made)};
    };
    const progress = new Progress({ line: (text) => console.log(text) });
    const entry = await ensureEntry(${JSON.stringify(cache)}, { key: "tool-1.0.0", label: "the tool v1.0.0", make },
      { progress, staleAfter: 2000 });
    console.log("cached " + entry.cached);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(async () => {
    await open(folder).catch(() => undefined);
    child.kill("SIGKILL");
  });
  return child;
}

test("an entry is made once and then read", async () => {
  const [folder, cache] = [await testFolder(), await testFolder()];
  await open(folder);
  const { progress } = silent();
  const first = await ensureEntry(cache, gated(folder), { progress });
  const second = await ensureEntry(cache, gated(folder), { progress });
  expect(first).toMatchObject({ ...made, cached: false });
  expect(second).toMatchObject({ ...made, cached: true, folder: first.folder });
  expect(await builds(folder)).toBe(1);
});

test("two callers in one process wait for one build, and the second says so", async () => {
  const [folder, cache] = [await testFolder(), await testFolder()];
  const [one, two] = [silent(), silent()];
  const first = ensureEntry(cache, gated(folder), { progress: one.progress });
  await firstBuild(folder);
  const second = ensureEntry(cache, gated(folder), { progress: two.progress });
  await poll(
    () => two.lines.some((line) => line.startsWith("waiting for another process that prepares the tool v1.0.0")),
    {
      what: "the word that the second caller waits",
      limitMs: 60_000,
    },
  );
  await open(folder);
  expect((await first).cached).toBe(false);
  expect((await second).cached).toBe(true);
  expect(await builds(folder)).toBe(1);
});

test("a caller waits for the build of another process", async () => {
  const [folder, cache] = [await testFolder(), await testFolder()];
  await inOtherProcess(folder, cache);
  await firstBuild(folder);
  const { progress, lines } = silent();
  const entry = ensureEntry(cache, gated(folder), { progress, staleAfter: 2_000 });
  await poll(() => lines.length > 0, { what: "the word that it waits", limitMs: 60_000 });
  await open(folder);
  expect((await entry).cached).toBe(true);
  expect(await builds(folder)).toBe(1);
});

test("a builder that was killed is succeeded, and nothing of it stays", async () => {
  const [folder, cache] = [await testFolder(), await testFolder()];
  const child = await inOtherProcess(folder, cache);
  await firstBuild(folder);
  child.kill("SIGKILL");
  await open(folder);
  const { progress, lines } = silent();
  const entry = await ensureEntry(cache, gated(folder), { progress, staleAfter: 2_000 });
  expect(entry.cached).toBe(false);
  expect(lines[0]).toMatch(/^waiting for another process/);
  expect(await builds(folder)).toBe(2);
  expect((await readdir(cache)).sort()).toEqual(["tool-1.0.0.json", path.basename(entry.folder)].sort());
});

test("a truncated or removed file makes the entry void, and it is made anew", async () => {
  const [folder, cache] = [await testFolder(), await testFolder()];
  await open(folder);
  const { progress } = silent();
  const first = await ensureEntry(cache, gated(folder), { progress });
  await truncate(path.join(first.folder, "tool"), 2);
  expect(await readEntry(cache, "tool-1.0.0")).toBeUndefined();
  const second = await ensureEntry(cache, gated(folder), { progress });
  expect(second.cached).toBe(false);
  expect(await readFile(path.join(second.folder, "tool"), "utf8")).toBe("hello\n");
});

test("a failed build leaves no entry, no folder and no lock", async () => {
  const cache = await testFolder();
  const make = async () => {
    throw new Error("no compiler");
  };
  const { progress } = silent();
  await expect(ensureEntry(cache, { key: "tool", label: "the tool", make }, { progress })).rejects.toThrow(
    "no compiler",
  );
  expect(await readdir(cache)).toEqual([]);
});
