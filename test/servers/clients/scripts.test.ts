import { execFileSync } from "node:child_process";
import { execa } from "execa";
import { expect, test } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { resolveToolchain } from "../../../dev/toolchain/resolve";

test("ShellCheck finds nothing in any shell script", async () => {
  const root = projectRoot();
  const scripts = execFileSync("git", ["ls-files", "*.sh", ".ci/run"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n");
  expect(scripts).toContain("clients/health.sh");
  const { shellcheck } = await resolveToolchain({ need: ["shellcheck"], onProgress: () => undefined });
  if (!shellcheck) throw new Error("expected the toolchain to have ShellCheck, found none");
  const { stdout } = await execa(shellcheck.path, scripts, { cwd: root, reject: false });
  expect(stdout).toBe("");
});
