import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { script, testFolder } from "./support";

/** Runs .ci/run with an `npm` that prints `output` and exits with `code`. */
async function ci(output: string, code: number, python = "exit 0") {
  const bin = await testFolder();
  const calls = path.join(bin, "calls");
  await script(bin, "npm", `echo "npm $* in $PWD" >> ${calls}\nprintf '${output}'\nexit ${code}`);
  await script(bin, "python3", python);
  for (const name of ["apt-get", "sudo"]) await script(bin, name, `echo "${name} $*" >> ${calls}`);
  const env = { PATH: `${bin}:/usr/bin:/bin`, CI: "true" };
  const file = path.join(projectRoot(), ".ci", "run");
  const { status, stdout } = spawnSync("bash", [file], {
    env,
    encoding: "utf8",
    cwd: bin,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { status, last: stdout.trimEnd().split("\n").at(-1), calls: await readFile(calls, "utf8") };
}

const summary = (files: string, tests: string) =>
  ` Test Files  ${files}\\n      Tests  ${tests}\\n   Start at  07:43:30\\n`;

test("runs npm cit once in the checkout's root and counts what passed", async () => {
  const { status, last, calls } = await ci(summary("4 passed (4)", "35 passed (35)"), 0);
  expect({ status, last }).toEqual({ status: 0, last: "35 passed, 0 failed" });
  expect(calls).toBe(`npm cit in ${projectRoot()}\n`);
});

test("counts failed and skipped ones, through colours, and passes npm's exit code on", async () => {
  const coloured = summary(
    "\\033[31m1 failed\\033[39m | 3 passed (4)",
    "\\033[1m\\033[31m2 failed\\033[39m\\033[22m | 25 passed | 1 skipped (28)",
  );
  const { status, last } = await ci(coloured.replace("      Tests ", "\\033[2m      Tests \\033[22m"), 7);
  expect({ status, last }).toEqual({ status: 7, last: "25 passed, 2 failed, 1 skipped" });
});

test("only the last summary counts", async () => {
  const { last } = await ci(summary("1 passed (1)", "3 passed (3)") + summary("4 passed (4)", "35 passed (35)"), 0);
  expect(last).toBe("35 passed, 0 failed");
});

test("a file that does not load is not 0 failed", async () => {
  const { status, last } = await ci(summary("1 failed | 3 passed (4)", "25 passed (25)"), 1);
  expect({ status, last }).toEqual({ status: 1, last: "25 passed, 1 failed" });
});

test("no test at all is a failure, whatever npm says", async () => {
  expect(await ci("up to date\\n", 0)).toMatchObject({ status: 1, last: "0 passed, 0 failed" });
  expect(await ci(summary("no tests", "no tests"), 0)).toMatchObject({ status: 1, last: "0 passed, 0 failed" });
});

test("a failure before the tests passes npm's exit code on", async () => {
  expect(await ci("npm error\\n", 3)).toMatchObject({ status: 3, last: "0 passed, 0 failed" });
});

test("what is missing is installed, after one update of the package lists", async () => {
  const { calls } = await ci(summary("1 passed (1)", "1 passed (1)"), 0, "exit 1");
  const installed = calls.split("\n").filter((line) => line.startsWith("apt-get") || line.startsWith("sudo"));
  expect(installed.filter((line) => line.includes("apt-get update"))).toHaveLength(1);
  expect(installed.at(-1)).toMatch(/apt-get install -y .*python3 python3-venv$/);
});
