import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import type { SecretState } from "../../core/state";
import { resolveToolchain } from "../../dev/toolchain/resolve";
import { fine } from "./cli-support";
import { auditRows, login, refusedUp, setDay, setRequest, stored, UNCHANGED, up, useBench } from "./harness";

const SECRET = "database/password";
const EXAMPLE = join(projectRoot(), "docs", "examples", "own-program");

const bench = useBench();

async function run(cwd: string, file: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, all } = await execa(file, args, { cwd, all: true, reject: false });
  expect(exitCode, `${file} ${args.join(" ")}: ${all}`).toBe(0);
  return stdout;
}

/** Replaces the stack's program by the example, with the package as `npm pack` makes it. */
beforeAll(async () => {
  const { stack, lab } = bench();
  const { projectDir } = stack;
  const root = projectRoot();
  await run(root, process.execPath, "node_modules/typescript/bin/tsc", "-p", "tsconfig.library.json");
  // Built before the tests: `--ignore-scripts` leaves the dist that other tests use as it is.
  const packed = await run(root, "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", lab.dir);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  for (const name of ["main.cjs", "sdk-on-demand.cjs", "node_modules", "dist", "Pulumi.yaml", "package.json"])
    rmSync(join(projectDir, name), { force: true });
  cpSync(EXAMPLE, projectDir, { recursive: true });
  const modules = join(projectDir, "node_modules");
  mkdirSync(join(modules, "secret-rotation"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules")))
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  await run(modules, "tar", "-xzf", join(lab.dir, filename), "-C", "secret-rotation", "--strip-components=1");
  // What a lab's stack needs of the workshop, which is in no package.
  symlinkSync(join(root, "dist", "dev"), join(modules, "secret-rotation", "dist", "dev"));
  // The command line is the package's own too.
  mkdirSync(join(projectDir, "dist"));
  symlinkSync("../node_modules/secret-rotation/dist/cli", join(projectDir, "dist", "cli"));
  await compileTypeScript(projectDir);
  const init = await stack.pulumi(["stack", "init", stack.name]);
  expect(init.exitCode, init.stderr).toBe(0);
});

/**
 * The language host that the toolchain builds is told not to load the TypeScript compiler, which a newer CLI says itself:
 * this one loads it, as every other does.
 */
async function compileTypeScript(projectDir: string): Promise<void> {
  const { languageHost } = await resolveToolchain({ need: ["pulumi"] });
  const built = join(dirname(languageHost.path), "host", "pulumi-language-nodejs");
  if (!existsSync(built)) return;
  const bin = join(projectDir, "language-host");
  mkdirSync(bin);
  writeFileSync(join(bin, "pulumi-language-nodejs"), `#!/bin/sh\nexec ${built} -typescript=true "$@"\n`, {
    mode: 0o755,
  });
  const env = bench().stack.env as Record<string, string>;
  env.PATH = `${bin}${delimiter}${env.PATH}`;
}

const outputs = async () =>
  JSON.parse((await bench().stack.pulumi(["stack", "output", "--json"])).stdout) as {
    readonly release: string;
    readonly secrets: Readonly<Record<string, { readonly state: SecretState }>>;
  };

const generation = async () => {
  const state = (await outputs()).secrets[SECRET]?.state;
  return state?.slots[state.active];
};

it("the example's types are right, and a wrong class or a missing field is not", async () => {
  const { projectDir } = bench().stack;
  const tsc = (...args: string[]) =>
    execa(process.execPath, [join(projectRoot(), "node_modules/typescript/bin/tsc"), ...args], {
      cwd: projectDir,
      reject: false,
    });
  const fits = await tsc("-p", ".");
  expect(fits.exitCode, fits.stdout).toBe(0);
  const text = readFileSync(join(EXAMPLE, "index.ts"), "utf8");
  writeFileSync(join(projectDir, "wrong.ts"), text.replace('("database-password", args)', '("database-password", {})'));
  const wrong = await tsc(
    "--noEmit",
    "--skipLibCheck",
    "--strict",
    "--module",
    "commonjs",
    "--moduleResolution",
    "node10",
    "--target",
    "es2022",
    "wrong.ts",
  );
  expect(wrong.stdout).toContain("PostgresPasswordArgs");
  rmSync(join(projectDir, "wrong.ts"));
});

it("a program of one's own adopts, rotates and rolls back; then nothing changes", async () => {
  await up(bench());
  expect(await generation()).toBe(1);
  const { release } = await outputs();
  await setDay(bench(), 89);
  await up(bench());
  expect(await generation()).toBe(2);
  expect((await outputs()).release).not.toBe(release);
  const { value } = await stored(bench(), SECRET);
  expect(await login(bench(), "trader_a", value)).toBe("ok");
  await bench().lab.healthy();
  await setRequest(bench(), { id: "back", activate: 1 });
  await up(bench());
  expect(await generation()).toBe(1);
  expect((await auditRows(bench())).map(({ action, status }) => `${action} ${status}`)).toEqual([
    ...["ADOPT SUCCESS", "ROTATE SUCCESS", "ROLLBACK SUCCESS"],
  ]);
  const again = await bench().stack.pulumi(["preview", "--expect-no-changes"]);
  expect(again.exitCode, again.stdout + again.stderr).toBe(0);
  expect(again.stdout).toMatch(UNCHANGED);
});

it("the command line knows the stack: status, and a run with its phases", async () => {
  await setRequest(bench(), { id: "again", rotate: true });
  expect(await fine(bench(), ["plan"])).toContain("restarts signal-service");
  expect(await fine(bench(), ["run", "--yes"])).toContain("done database/password: rotated to generation 3 (was 1)");
  expect(await fine(bench(), ["status"])).toContain(SECRET);
});

it("wrong uses are refused before anything is changed, each with what was expected", async () => {
  const file = join(bench().stack.projectDir, "index.ts");
  const right = readFileSync(file, "utf8");
  const uses = [
    ['new PostgresPassword("my-password", args)', "expected the resource's name database-password, found my-password"],
    ['rotation.argsOf(PostgresPassword, "database/passwords")', "expected the name of a secret of the config"],
    ['rotation.argsOf<never>(AlpacaKey as never, "database/password")', "is declared with new PostgresPassword(...)"],
    ["rotation.outputs({})", "found none for database/password"],
  ] as const;
  // One compilation for all: what each use throws becomes a line of one error.
  const wrong = right.replace("PostgresPassword }", "PostgresPassword, AlpacaKey }").replace(
    /^ {2}const password = /m,
    `  const said = [${uses.map(([use]) => `() => ${use}`).join(", ")}].map((use) => {
    try {
      return \`accepted: \${use()}\`;
    } catch (error) {
      return (error as Error).message;
    }
  });
  if (said.length > 0) throw new Error(said.join("\\n"));
$&`,
  );
  writeFileSync(file, wrong);
  const said = await refusedUp(bench());
  for (const [, message] of uses) expect(said).toContain(message);
  expect(said).not.toContain("accepted: ");
  writeFileSync(file, right);
  expect(await generation()).toBe(3);
});
