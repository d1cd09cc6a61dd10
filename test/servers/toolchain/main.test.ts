import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { pinnedPlugins, projectRoot } from "../../../cli/toolchain/project";
import { script, testFolder } from "./support";

const main = path.join(projectRoot(), "dist", "dev", "toolchain", "main.mjs");

/** `npm run toolchain` on a machine that has an engine and bao on PATH, and nothing else. */
async function machine() {
  const bin = await testFolder();
  await script(bin, "pulumi", "echo v3.999.1");
  await script(bin, "pulumi-language-nodejs", "true");
  await script(bin, "bao", "echo OpenBao v2.9.9");
  const env = { PATH: bin, HOME: await testFolder(), SECRET_ROTATION_CACHE: await testFolder() };
  return { bin, call: (...args: string[]) => spawnSync(process.execPath, [main, ...args], { env, encoding: "utf8" }) };
}

test("prints one line a tool: name, version, origin, path", async () => {
  const { bin, call } = await machine();
  const { status, stdout } = call("--only", "pulumi,openbao", "--offline");
  expect(status).toBe(0);
  const lines = stdout.trim().split("\n");
  expect(lines[0]?.split(/ {2,}/)).toEqual(["pulumi", "3.999.1", "PATH", path.join(bin, "pulumi")]);
  expect(lines.at(-1)?.split(/ {2,}/)).toEqual(["openbao", "2.9.9", "PATH", path.join(bin, "bao")]);
  expect(stdout).toMatch(/^plugin random +4\.\d+\.\d+ +offline plugin +\//m);
});

test("--shell prints the line that puts pulumi on PATH, and nothing else, whatever the folder is called", async () => {
  const { bin, call } = await machine();
  expect(call("--shell", "--offline").stdout).toBe("# pulumi is on PATH already\n");
  const [cache, key] = [
    path.join(await testFolder(), "it's a cache"),
    `pulumi-v3.250.0-${process.platform}-${process.arch}`,
  ];
  const made = path.join(cache, `${key}@1`, "bin");
  for (const name of ["pulumi", "pulumi-language-nodejs"]) await script(made, name, "echo v3.250.0");
  const files = { pulumi: "bin/pulumi", languageHost: "bin/pulumi-language-nodejs" };
  const sizes = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, statSync(path.join(cache, `${key}@1`, file)).size]),
  );
  const versions = { pulumi: "3.250.0", languageHost: "3.68.0" };
  const record = { folder: `${key}@1`, source: "go modules", versions, files, sizes };
  await writeFile(path.join(cache, `${key}.json`), JSON.stringify(record));
  const env = { PATH: "/usr/bin:/bin", HOME: bin, SECRET_ROTATION_CACHE: cache };
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, "--shell", "--offline"], {
    env,
    encoding: "utf8",
  });
  expect([status, stdout.split("\n").length], stderr).toEqual([0, 2]);
  const shell = spawnSync("/bin/sh", ["-c", 'eval "$LINE"; pulumi version; command -v pulumi'], {
    env: { PATH: "/usr/bin:/bin", LINE: stdout },
    encoding: "utf8",
  });
  expect(shell.stdout).toBe(`v3.250.0\n${path.join(made, "pulumi")}\n`);
});

test("what is missing on a platform of one's own is on stderr, with the commands", async () => {
  const { call } = await machine();
  const { stderr } = call("--only", "pulumi", "--offline");
  expect(stderr).toContain("An offline plugin serves only a stack whose config says `lab`");
  expect(stderr).toContain(`\n  pulumi plugin install resource random v${pinnedPlugins().random}\n`);
});

test("--json prints the same as JSON, and nothing else", async () => {
  const { call } = await machine();
  const { status, stdout } = call("--only", "openbao", "--offline", "--json");
  expect(status).toBe(0);
  const schema = z.object({
    pulumi: z.object({ version: z.literal("3.999.1") }),
    plugins: z.object({ random: z.object({ kind: z.literal("offline") }) }),
    openbao: z.object({ source: z.literal("PATH") }),
    env: z.object({ PATH: z.string() }),
  });
  expect(schema.safeParse(JSON.parse(stdout)).success).toBe(true);
});

test("a missing tool is exit code 1 with one message", async () => {
  const { call } = await machine();
  const { status, stdout, stderr } = call("--only", "moto", "--offline");
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^moto v5\.2\.5 was not found and could not be made\.\n/);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test.each([
  [["--only", "terraform"], 'expected pulumi, openbao, moto, kubernetes-validate, shellcheck, found "terraform"'],
  [["--shell", "--json"], "expected one of --shell and --json, found both"],
  [["--colour"], "Unknown option '--colour'"],
  [["extra"], "Unexpected argument 'extra'"],
])("wrong use %j is exit code 2 with the reason and the usage", async (args, reason) => {
  const { status, stderr } = (await machine()).call(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(reason);
  expect(stderr).toContain("Usage: npm run toolchain");
});

test("--help explains itself", async () => {
  const { status, stdout } = (await machine()).call("--help");
  expect(status).toBe(0);
  expect(stdout).toContain("Exit codes: 0 fine, 1 a tool is missing, 2 wrong use");
});
