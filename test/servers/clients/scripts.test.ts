import { readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { resolveToolchain } from "../../../dev/toolchain/resolve";

test("ShellCheck finds nothing in any shell script", async () => {
  const root = projectRoot();
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !["node_modules", "dist", ".git"].includes(entry.name))
    .map(({ name }) => name);
  const scripts = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sh"))
      .map((name) => join(folder, name)),
  );
  expect(scripts).toContain("clients/health.sh");
  const { shellcheck } = await resolveToolchain({ need: ["shellcheck"], onProgress: () => undefined });
  if (!shellcheck) throw new Error("expected the toolchain to have ShellCheck, found none");
  const { stdout } = await execa(shellcheck.path, [...scripts, ".ci/run"], { cwd: root, reject: false });
  expect(stdout).toBe("");
});
