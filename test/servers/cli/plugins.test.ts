import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { openProject } from "../../../cli/operate/project";
import { pinnedPlugins, projectRoot } from "../../../cli/toolchain/project";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { inShell, isThere } from "../../advice/shell";
import { advised } from "../../advice/table";
import { script, testFolder } from "../toolchain/support";

const cli = path.join(projectRoot(), "dist", "cli", "rotation.mjs");

const SETTINGS = {
  environment: "paper",
  store: { kind: "vault" },
  preflight: { allowOpenMarket: true },
  services: { "signal-service": { health: "http://127.0.0.1:1/health" } },
  secrets: [
    {
      kind: "postgres-password",
      name: "database/password",
      database: { host: "127.0.0.1", name: "trader" },
      restart: ["signal-service"],
    },
  ],
};

/** A project with a stack `it`, on a machine with `pulumi` and these plugins on PATH. */
async function machine({ config = {}, plugins = [] as readonly string[], pulumi = true } = {}) {
  const [dir, bin, home, cache] = [await testFolder(), await testFolder(), await testFolder(), await testFolder()];
  const changes = path.join(home, "changes");
  await writeFile(path.join(dir, "Pulumi.yaml"), "name: secret-rotation\nruntime: nodejs\n");
  const settings = Object.entries({ ...SETTINGS, ...config }).map(([key, value]) => [`secret-rotation:${key}`, value]);
  await writeFile(path.join(dir, "Pulumi.it.yaml"), JSON.stringify({ config: Object.fromEntries(settings) }));
  const raw = Object.fromEntries(
    settings.map(([key, value]) => [
      key,
      { value: typeof value === "string" ? value : JSON.stringify(value), secret: false },
    ]),
  );
  if (pulumi) {
    await script(
      bin,
      "pulumi",
      `case "$1" in version) echo v3.250.0;; config) cat <<'X'\n${JSON.stringify(raw)}\nX\n;; *) echo "$*" >> ${changes};; esac`,
    );
  }
  for (const name of plugins) await script(bin, `pulumi-resource-${name}`, "echo 1.0.0");
  await mkdir(path.join(home, "backend"), { recursive: true });
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: home,
    SECRET_ROTATION_CACHE: cache,
    PULUMI_BACKEND_URL: `file://${home}/backend`,
    PULUMI_CONFIG_PASSPHRASE: "",
  };
  const rotation = (...args: string[]) =>
    spawnSync(process.execPath, [cli, ...args, "--stack", "it", "--cwd", dir], { env, encoding: "utf8" });
  return { dir, env, rotation, changes };
}

const environment = async (dir: string, env: NodeJS.ProcessEnv) => {
  vi.resetModules();
  const { engineEnvironment } = await import("../../../cli/operate/plugins");
  return engineEnvironment(openProject(dir, "it", env));
};
afterEach(() => void vi.resetModules());

test("a stack that is no lab stops and names each missing plugin, its exact version and the command", async () => {
  const { dir, env } = await machine({ plugins: ["random"] });
  const { command, postgresql, vault } = pinnedPlugins();
  const error = (await environment(dir, env).catch((thrown: unknown) => thrown)) as Error;
  expect(error.name).toBe("UsageError");
  expect(error.message).toContain(
    `provider plugins are missing: command v${command}, postgresql v${postgresql}, vault v${vault}. Nothing was changed.`,
  );
  expect(error.message).toContain(`\n  pulumi plugin install resource vault v${vault}\n`);
  expect(error.message).toContain("--server");
  expect(error.message).not.toContain("aws");
});

test("of a stack on AWS the aws plugin is asked for, and vault's is not", async () => {
  const aws = { store: { kind: "aws", region: "us-east-1" } };
  const { dir, env } = await machine({ config: aws, plugins: ["random", "command", "postgresql"] });
  await expect(environment(dir, env)).rejects.toThrow(
    `a provider plugin is missing: aws v${pinnedPlugins().aws}. Nothing was changed.`,
  );
});

test("with all real ones there PATH stays as it is, lab or not", async () => {
  for (const config of [{}, { lab: {} }]) {
    const { dir, env } = await machine({ config, plugins: ["random", "command", "postgresql", "vault", "aws"] });
    const found = await environment(dir, env);
    expect(found.PATH).toBe(env.PATH);
    expect(found).not.toHaveProperty("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION");
  }
});

test("a lab gets the offline ones that are missing", async () => {
  const { dir, env } = await machine({ config: { lab: {} }, plugins: ["random"] });
  const found = await environment(dir, env);
  expect(found.PATH?.startsWith(path.join(env.SECRET_ROTATION_CACHE, "offline-plugins"))).toBe(true);
  expect(found.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBe("true");
});

test.each([
  [["run", "--yes"]],
  [["run", "database/password", "--yes"]],
  [["plan"]],
  [["preflight"]],
  [["rotate-now", "database/password", "--reason", "leaked", "--yes"]],
])("rotation %j stops at once on a stack that is no lab, with launchers on an inherited PATH too", async (args) => {
  const lab = await machine({ config: { lab: {} } });
  const launchers = (await environment(lab.dir, lab.env)).PATH?.split(":")[0];
  const { rotation, env, changes } = await machine();
  env.PATH = `${launchers}:${env.PATH}`;
  const { status, stderr } = rotation(...args);
  expect(stderr).toContain("provider plugins are missing: ");
  expect(stderr).toContain(`pulumi plugin install resource random v${pinnedPlugins().random}`);
  expect(status).toBe(2);
  expect(spawnSync("cat", [changes]).status).not.toBe(0);
});

test.each([[["status"]], [["plan"]], [["run", "--yes"]], [["calendar"]]])(
  "rotation %j builds and downloads nothing where there is no pulumi: it says what to run",
  async (args) => {
    const { rotation, env } = await machine({ pulumi: false });
    // A state that only Pulumi can read.
    env.PULUMI_BACKEND_URL = "https://api.pulumi.example";
    const { status, stderr } = rotation(...args);
    expect(stderr).toMatch(
      /error: the Pulumi CLI is neither on PATH nor in the toolchain's cache; nothing was changed\. Run `npm run toolchain`/,
    );
    expect(status).toBe(2);
  },
);

test.skipIf(isThere("pulumi"))(
  "what it says to run finds pulumi, and the line that is printed puts it on PATH",
  async () => {
    const { rotation, env } = await machine({ pulumi: false });
    env.PULUMI_BACKEND_URL = "https://api.pulumi.example";
    const command = advised("npm run toolchain", rotation("status").stderr);
    const found = await inShell(`${command} -- --only pulumi --offline`, { cwd: projectRoot() });
    expect(found.code, found.said).toBe(0);
    const line = advised('eval "$(npm run toolchain)"', found.said);
    const { code, said } = await inShell(`${line} && pulumi version`, { cwd: projectRoot() });
    expect([code, said]).toEqual([0, expect.stringMatching(/^v3\./m)]);
  },
);

test("the command that it names for a missing plugin installs it, also from an archive", async () => {
  const { dir, env } = await machine();
  const { message } = (await environment(dir, env).catch((thrown: unknown) => thrown)) as Error;
  const command = advised("pulumi plugin install", message);
  const [, name = "", version = ""] = /resource (\w+) v(\S+)/.exec(command) ?? [];
  const folder = await testFolder();
  await script(folder, `pulumi-resource-${name}`, "echo");
  const tools = await resolveToolchain({ need: ["pulumi"] });
  const home = { cwd: folder, env: { ...tools.env, PULUMI_HOME: path.join(folder, "home") } };
  expect((await inShell(`tar czf plugin.tar.gz pulumi-resource-${name}`, home)).code).toBe(0);
  const installed = await inShell(`${command} --file plugin.tar.gz`, home);
  expect(installed.code, installed.said).toBe(0);
  expect((await inShell("pulumi plugin ls --json", home)).said).toContain(`"version": "${version}"`);
});

test.each([[["validate"]], [["diagnose"]]])("rotation %j reads the state alone, and needs no plugin", async (args) => {
  const { rotation } = await machine();
  expect(rotation(...args).stderr).not.toContain("plugin");
});
