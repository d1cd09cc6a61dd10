import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { poll } from "../../../dev/lab/poll";
import { isAlive } from "../../../dev/lab/processes";
import { testFolder } from "./folder";

// A process that starts a child through the guard, says which, and stays.
const SOURCE = `
import { guardFolder } from ${JSON.stringify(resolve("dev/lab/guard"))};
import { startProcess } from ${JSON.stringify(resolve("dev/lab/processes"))};
async function main() {
  const [dir, logFile] = process.argv.slice(2) as [string, string];
  guardFolder(dir);
  const child = await startProcess({ command: "sleep", args: ["600"], logFile });
  console.log(child.pid);
  setInterval(() => undefined, 1000);
}
main();
`;

let folder: Awaited<ReturnType<typeof testFolder>>;
let program: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = await testFolder();
  program = join(folder.dir, "program.mjs");
  const source = join(folder.dir, "program.ts");
  await writeFile(source, SOURCE);
  await build({ entryPoints: [source], outfile: program, bundle: true, platform: "node", format: "esm" });
});
afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  await folder?.remove();
});

test.each(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "a lab that dies of %s leaves nothing",
  async (signal) => {
    const dir = await mkdtemp(join(folder.dir, "lab-"));
    const lab = spawn(process.execPath, [program, dir, join(folder.dir, "child.log")], { stdio: "pipe" });
    started.push(lab);
    const pid = Number(await new Promise<string>((done) => lab.stdout.once("data", (data) => done(String(data)))));
    expect(isAlive(pid)).toBe(true);
    const ended = new Promise<string | null>((done) => lab.once("exit", (_code, by) => done(by)));
    lab.kill(signal);
    expect(await ended).toBe(signal);
    await poll(() => !isAlive(pid) && !existsSync(dir), {
      what: "the end of the child and the folder",
      limitMs: 60_000,
    });
    await rm(dir, { recursive: true, force: true });
  },
);
