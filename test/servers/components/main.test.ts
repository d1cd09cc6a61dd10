import { cp, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "secret-rotation-main-"));
  const folders = ["audit", "clients", "components", "config", "core", "kinds", "steps", "stores", "dist"];
  await Promise.all(folders.map((folder) => mkdir(join(dir, folder))));
  await Promise.all(["index.ts", "core/state.ts", "steps/preflight.ts"].map((file) => writeFile(join(dir, file), "")));
  for (const file of ["main.cjs", "sdk-on-demand.cjs"]) await cp(join(projectRoot(), file), join(dir, file));
  await symlink(join(projectRoot(), "node_modules"), join(dir, "node_modules"));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

const load = () => execa("node", ["-p", "require('./main.cjs').program"], { cwd: dir, reject: false });

test("a program that was never built says what builds it", async () => {
  const { exitCode, stderr } = await load();
  expect(exitCode).toBe(1);
  expect(stderr).toContain("dist/index.cjs is missing: the program is not built. Run `npm ci`.");
});

test("the built program is loaded, and a source that is newer is named", async () => {
  await writeFile(join(dir, "dist", "index.cjs"), "exports.program = 'as built';\n");
  const fresh = await load();
  expect(fresh.stdout).toBe("as built");
  expect(fresh.stderr).toBe("");

  const later = new Date(Date.now() + 60_000);
  await utimes(join(dir, "steps", "preflight.ts"), later, later);
  const stale = await load();
  expect(stale.stdout).toBe("as built");
  expect(stale.stderr).toContain("steps/preflight.ts was changed after the program was built");
  expect(stale.stderr).toContain("npm run build");
});

test("what the SDK loads for functions in the cloud is loaded when used, and whole then", async () => {
  const looks = [
    "require('./main.cjs')",
    "const loaded = (part) => Object.keys(require.cache).filter((file) => file.includes(part)).length",
    "const before = ['arborist/lib/arborist', 'typescript/lib', 'normalize-package-data/lib/fixer'].map(loaded)",
    "const { Arborist } = require('@npmcli/arborist')",
    "const { version } = require('@pulumi/pulumi/typescript-shim')",
    "const { default: normalize } = require('normalize-package-data')",
    "const after = loaded('arborist/lib/arborist') > 0",
    "normalize({ name: 'a', version: '1.0.0' }, () => {})",
    "console.log(...before, typeof Arborist, after, version === require('typescript').version)",
  ];
  const { stdout } = await execa("node", ["-e", looks.join(";")], { cwd: dir });
  expect(stdout).toBe("0 0 0 function true true");
});

test("a step that speaks with PostgreSQL loads none of Node.js's HTTP client", async () => {
  const atEnd =
    "process.on('exit', () => console.log(process.moduleLoadList.filter((name) => /undici/.test(name)).length))";
  const preload = `data:text/javascript,${encodeURIComponent(atEnd)}`;
  const step = join(projectRoot(), "dist", "steps", "verify-login.mjs");
  const { stdout } = await execa("node", ["--import", preload, step], { input: "{}", reject: false });
  expect(stdout.split("\n").at(-1)).toBe("0");
});
