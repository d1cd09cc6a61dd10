import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

/** A step that answers with what it knows of this run: it fails for an empty name. */
const STEP = `
  import * as z from "zod";
  import { runStep } from "./steps/run-step";
  await runStep(z.object({ name: z.string().min(1) }), async ({ name }, _, again) => ({ name, again, ran: true }));
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-step-"));
  await build({
    ...{ stdin: { contents: STEP, resolveDir: process.cwd(), loader: "ts" }, outfile: join(folder, "step.mjs") },
    ...{ bundle: true, platform: "node", format: "esm" },
  });
});
afterAll(() => rm(folder, { recursive: true }));

async function run(input: string, env: Record<string, string>) {
  const command = [join(folder, "step.mjs")];
  const { stdout, stderr, exitCode } = await execa(process.execPath, command, { input, env, reject: false });
  return { exitCode, stderr, answer: stdout === "" ? undefined : JSON.parse(stdout) };
}

const ROTATION_ACTIVATION = "3";
const last = (activation?: string) => ({
  PULUMI_COMMAND_STDOUT: JSON.stringify({ name: "before", ...(activation === undefined ? {} : { activation }) }),
});
const again = { ROTATION_ACTIVATION, ...last("3") };

it.each([
  ["of an earlier version has no activation", {}, { name: "x", again: false, ran: true }],
  ["in place, for the first time", { ROTATION_ACTIVATION }, { name: "x", again: false, ran: true, activation: "3" }],
  [
    "for another activation",
    { ROTATION_ACTIVATION, ...last("2") },
    { name: "x", again: false, ran: true, activation: "3" },
  ],
  [
    "after an earlier version",
    { ROTATION_ACTIVATION, ...last() },
    { name: "x", again: false, ran: true, activation: "3" },
  ],
  [
    "after an empty answer",
    { ROTATION_ACTIVATION, PULUMI_COMMAND_STDOUT: "" },
    { name: "x", again: false, ran: true, activation: "3" },
  ],
  ["of which only the input changed", again, { name: "x", again: true, ran: true, activation: "3" }],
  ["that runs once for each", { ...again, ROTATION_ONCE: "1" }, { name: "before", activation: "3" }],
  [
    "that runs once, for another activation",
    { ROTATION_ACTIVATION, ROTATION_ONCE: "1", ...last("2") },
    { name: "x", again: false, ran: true, activation: "3" },
  ],
])("a step %s", async (_, env, answer) => {
  expect(await run('{"name":"x"}', env as Record<string, string>)).toEqual({ exitCode: 0, stderr: "", answer });
});

it("a step that fails in place answers nothing, so that the next update runs it again", async () => {
  const failed = await run('{"name":""}', { ROTATION_ACTIVATION, ...last("2") });
  expect(failed).toMatchObject({ exitCode: 1, answer: undefined });
  expect(failed.stderr).toContain("the input on stdin is wrong: name");
});
