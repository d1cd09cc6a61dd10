import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { poll } from "../../../dev/lab/poll";
import { openBaoPath } from "./tools";

const PROGRAM = `
const { startLab } = await import(process.argv[1]);
const lab = await startLab({ openbao: process.argv[2] });
console.log(lab.dir);
setInterval(() => undefined, 1000);
`;

let started: ChildProcess | undefined;
afterAll(() => started?.kill("SIGKILL"));

/** Command lines that name the folder, as those of a lab do. */
async function processesOf(dir: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,args="]);
  return stdout.split("\n").filter((line) => line.includes(dir));
}

test("a lab killed by SIGKILL leaves no process and no folder", async () => {
  const lab = spawn(
    process.execPath,
    ["--input-type=module", "-e", PROGRAM, resolve("dist/dev/lab/lab.mjs"), await openBaoPath()],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  started = lab;
  const dir = await new Promise<string>((done, fail) => {
    lab.stdout.once("data", (data) => done(String(data).trim()));
    lab.once("exit", (code) => fail(new Error(`the lab ended with ${code}; run npm run build first`)));
  });
  // PostgreSQL, OpenBao and five services at the least.
  expect((await processesOf(dir)).length).toBeGreaterThanOrEqual(7);
  lab.kill("SIGKILL");
  await poll(async () => (await processesOf(dir)).length === 0 && !existsSync(dir), {
    what: "the end of every process and of the folder",
    limitMs: 60_000,
    everyMs: 100,
  });
});
