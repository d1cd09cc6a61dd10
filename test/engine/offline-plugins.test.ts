import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pinnedPlugins } from "../../cli/toolchain/project";
import { createStack } from "../../dev/lab/stack";
import { resolveToolchain } from "../../dev/toolchain/resolve";

const PROGRAM = `const random = require("@pulumi/random");\nexports.id = new random.RandomId("it", { byteLength: 4 }).hex;\n`;

const resourcesIn = (state: string): string[] =>
  ((JSON.parse(state).checkpoint.latest?.resources ?? []) as { type: string }[]).map(({ type }) => type);

test("the engine with offline plugins on PATH changes a lab's stack, and nothing of any other", {
  timeout: 300_000,
}, async (context) => {
  const { env, plugins } = await resolveToolchain();
  if (plugins.random?.kind === "real") return context.skip("the real plugins are here");
  const dir = await mkdtemp(join(tmpdir(), "offline-plugins-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const stack = await createStack({
    dir,
    stack: "it",
    env: { ...env, HOME: dir },
    program: PROGRAM,
    config: { environment: "paper" },
    secrets: {},
  });
  const stateFile = join(stack.stateDir, ".pulumi", "stacks", "secret-rotation", "it.json");
  const refused = async (...args: string[]) => {
    const before = resourcesIn(await readFile(stateFile, "utf8"));
    const { exitCode, stdout, stderr } = await stack.pulumi(args);
    expect(exitCode, stdout).not.toBe(0);
    expect(stdout + stderr).toContain(`the random plugin v${pinnedPlugins().random} is missing`);
    expect(stdout + stderr).toContain(`pulumi plugin install resource random v${pinnedPlugins().random}`);
    expect(resourcesIn(await readFile(stateFile, "utf8")).filter((type) => type.startsWith("random"))).toEqual(
      before.filter((type) => type.startsWith("random")),
    );
  };
  await refused("preview");
  await refused("up", "--yes", "--skip-preview");

  await stack.configure("lab", {});
  const done = await stack.pulumi(["up", "--yes", "--skip-preview"]);
  expect(done.exitCode, done.stdout + done.stderr).toBe(0);
  expect(resourcesIn(await readFile(stateFile, "utf8"))).toContain("random:index/randomId:RandomId");

  // What was a lab and is none any more.
  await stack.configure("lab", undefined);
  await refused("refresh", "--yes");
  await refused("destroy", "--yes");
});
