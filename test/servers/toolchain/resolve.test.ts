import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { pinnedPlugins, projectRoot } from "../../../cli/toolchain/project";
import { ToolchainError } from "../../../cli/toolchain/types";
import { quoted } from "../../../core/shell-word";
import { offlinePackages } from "../../../dev/toolchain/plugins/packages";
import { resolveToolchain, type ToolchainOptions } from "../../../dev/toolchain/resolve";
import { script, testFolder } from "./support";

const pinned = pinnedPlugins();

/** A machine with only what the test puts on its PATH, and no network. */
async function machine() {
  const [bin, home, cacheDir] = [await testFolder(), await testFolder(), await testFolder()];
  const env = { PATH: bin, HOME: home };
  const resolve = (options: ToolchainOptions = {}) =>
    resolveToolchain({ cacheDir, env, offline: true, onProgress: () => undefined, ...options });
  return { bin, home, cacheDir, env, resolve };
}

async function withEngine() {
  const there = await machine();
  await script(there.bin, "pulumi", "echo v3.999.1");
  await script(there.bin, "pulumi-language-nodejs", "true");
  return there;
}

describe("the engine", () => {
  test("on PATH wins, with the language host beside it", async () => {
    const { bin, resolve } = await withEngine();
    const { pulumi, languageHost } = await resolve();
    expect(pulumi).toEqual({ path: path.join(bin, "pulumi"), version: "3.999.1", source: "PATH", cached: false });
    expect(languageHost).toMatchObject({ path: path.join(bin, "pulumi-language-nodejs"), version: "3.999.1" });
  });

  test("on PATH that does not run is an error, not a reason to build another", async () => {
    const { bin, resolve } = await machine();
    await script(bin, "pulumi", "echo broken library >&2; exit 3");
    await expect(resolve()).rejects.toThrow(/the pulumi on PATH does not run.*\n.*exit code 3\nbroken library/);
  });

  test("missing, the error says what was tried and what to install", async () => {
    const { resolve } = await machine();
    const error: unknown = await resolve().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ToolchainError);
    expect(String(error)).toContain(
      "The Pulumi CLI (pulumi on PATH, or v3.250.0) was not found and could not be made.",
    );
    expect(String(error)).toContain("(offline)");
    expect(String(error)).toContain("Install Pulumi (https://www.pulumi.com/docs/iac/download-install/)");
    expect(String(error)).toContain("or Go 1.25.11 or newer");
  });
});

describe("plugins", () => {
  test("a real one on PATH wins over the offline one, without any setting", async () => {
    const { bin, resolve } = await withEngine();
    const real = await script(bin, "pulumi-resource-random", 'test "$1" = --version && echo 4.99.0');
    const { plugins, env } = await resolve();
    expect(plugins.random).toEqual({ kind: "real", path: real, version: "4.99.0", source: "PATH", cached: false });
    expect(plugins.command).toMatchObject({ kind: "offline", version: pinned.command, source: "offline plugin" });
    expect(env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBe("true");
    const found = execFileSync("/bin/sh", ["-c", "command -v pulumi-resource-random"], { env }).toString().trim();
    expect(found).toBe(real);
  });

  test("a real one in the plugin folder wins in the pinned version only, and when it is complete", async () => {
    const { home, resolve } = await withEngine();
    const folder = (name: string, version = pinned[name]) =>
      path.join(home, ".pulumi", "plugins", `resource-${name}-v${version}`);
    await script(folder("random"), "pulumi-resource-random", "true");
    await script(folder("command", "0.0.1"), "pulumi-resource-command", "true");
    await script(folder("vault"), "pulumi-resource-vault", "true");
    await writeFile(`${folder("vault")}.partial`, "");
    const { plugins, env } = await resolve();
    expect(plugins.random).toMatchObject({ kind: "real", version: pinned.random, source: "plugin folder" });
    expect(plugins.command?.kind).toBe("offline");
    expect(plugins.vault?.kind).toBe("offline");
    // Pulumi goes by the passwd and not by HOME: it finds that one on PATH.
    expect(env.PATH?.split(path.delimiter)).toContain(folder("random"));
  });

  test("PULUMI_HOME moves the plugin folder", async () => {
    const { env, resolve } = await withEngine();
    const home = await testFolder();
    await script(path.join(home, "plugins", `resource-random-v${pinned.random}`), "pulumi-resource-random", "true");
    const { plugins } = await resolve({ env: { ...env, PULUMI_HOME: home } });
    expect(plugins.random?.kind).toBe("real");
  });

  test("with every real one there, nothing is put on PATH and nothing is switched off", async () => {
    const { bin, resolve } = await withEngine();
    for (const name of offlinePackages) await script(bin, `pulumi-resource-${name}`, "echo 1.0.0");
    const { plugins, env } = await resolve();
    expect(Object.values(plugins).every(({ kind }) => kind === "real")).toBe(true);
    expect(env.PATH?.split(path.delimiter)[0]).toBe(bin);
    expect(env).not.toHaveProperty("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION");
  });

  test("our own launcher on an inherited PATH is not taken for a real plugin", async () => {
    const { env, resolve } = await withEngine();
    const first = await resolve();
    const nested = await resolve({ env: { ...env, PATH: first.env.PATH } });
    expect(nested).toEqual(first);
  });

  test("callers at the same time do not disturb each other", async () => {
    const { resolve } = await withEngine();
    const [first, ...others] = await Promise.all([resolve(), resolve(), resolve(), resolve()]);
    for (const other of others) expect(other).toEqual(first);
  });

  test("every package that package.json pins has an offline plugin, and no other", () => {
    expect(Object.keys(pinned).sort()).toEqual([...offlinePackages].sort());
  });

  test("a launcher runs the plugin of its package", async () => {
    const { plugins } = await (await withEngine()).resolve();
    const text = execFileSync("cat", [plugins.random?.path ?? ""]).toString();
    const main = path.join(projectRoot(), "dist", "dev", "toolchain", "plugins", "main.mjs");
    expect(text).toContain(`exec ${quoted(process.execPath)} ${quoted(main)} random "$@"`);
  });
});

describe("servers", () => {
  test("bao on PATH wins, then vault", async () => {
    const { bin, resolve } = await withEngine();
    const vault = await script(bin, "vault", "echo Vault v1.20.1");
    expect((await resolve({ need: ["openbao"] })).openbao).toMatchObject({ path: vault, version: "1.20.1" });
    const bao = await script(bin, "bao", "echo OpenBao v2.9.9");
    const { openbao, moto } = await resolve({ need: ["openbao"] });
    expect(openbao).toEqual({ path: bao, version: "2.9.9", source: "PATH", cached: false });
    expect(moto).toBeUndefined();
  });

  test("one on PATH that does not run is passed over, and said so", async () => {
    const { bin, resolve } = await withEngine();
    const shim = await script(bin, "bao", "exit 127");
    const vault = await script(bin, "vault", "echo Vault v1.20.1");
    const lines: string[] = [];
    const { openbao } = await resolve({ need: ["openbao"], onProgress: (line) => void lines.push(line) });
    expect(openbao?.path).toBe(vault);
    expect(lines).toEqual([`${shim} does not run; continuing without it`]);
  });

  test("missing, the error says what to install", async () => {
    const { resolve } = await withEngine();
    await expect(resolve({ need: ["openbao"] })).rejects.toThrow(
      /^bao or vault or OpenBao v2\.7\.2 was not found[\s\S]*Install OpenBao .*\n.*Python 3\.10 or newer with venv/,
    );
    await expect(resolve({ need: ["moto"] })).rejects.toThrow(/^moto v5\.2\.5 was not found/);
  });
});

test("the cache folder is where $SECRET_ROTATION_CACHE says", async () => {
  const { env } = await withEngine();
  const cache = path.join(await testFolder(), "deep", "cache");
  await mkdir(cache, { recursive: true });
  const { plugins } = await resolveToolchain({ env: { ...env, SECRET_ROTATION_CACHE: cache }, offline: true });
  expect(plugins.random?.path.startsWith(cache)).toBe(true);
});

test("Node.js is on the PATH for the engine even when it was not on the caller's", async () => {
  const { resolve } = await withEngine();
  expect((await resolve()).env.PATH?.split(path.delimiter).at(-1)).toBe(path.dirname(process.execPath));
});
