import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { downloadPlugin, type PluginDownload, pluginArchive } from "../../../cli/toolchain/plugin-download";
import { pinnedPlugins } from "../../../cli/toolchain/project";
import { resolveProviders } from "../../../cli/toolchain/providers";
import { offlinePackages } from "../../../dev/toolchain/plugins/packages";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { script, silent, testFolder } from "./support";

async function listening(listener: RequestListener) {
  const http = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => http.once("listening", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`, stop: () => http.close() };
}

const serving = async (listener: RequestListener) => (await listening(listener)).url;

const json = (value: unknown) => serving((_, response) => response.end(JSON.stringify(value)));

/** A plugin server that answers anything, and counts. */
async function server() {
  let asked = 0;
  const http = await listening((_request, response) => {
    asked += 1;
    response.end();
  });
  return { ...http, asked: () => asked };
}

/** A `pulumi` whose `plugin install resource NAME VERSION` does `install`, and notes its calls. */
async function machine(install: string) {
  const [bin, home, cache] = [await testFolder(), await testFolder(), await testFolder()];
  const calls = path.join(home, "calls");
  const pulumi = await script(bin, "pulumi", `echo "$*" >> ${calls}\n${install}`);
  const { progress, lines } = silent();
  const context = { cache, env: { PATH: `${bin}:/usr/bin:/bin`, HOME: home }, progress, offline: false };
  const called = async () => (await readFile(calls, "utf8").catch(() => "")).trim().split("\n").filter(Boolean);
  return { pulumi, context, lines, called };
}

const download = async (folder: string, { name }: PluginDownload) => path.join(folder, `${name}.tar.gz`);

const installs =
  'd="$HOME/.pulumi/plugins/resource-$4-v$5"; mkdir -p "$d"; printf "#!/bin/sh\\n" > "$d/pulumi-resource-$4"; chmod +x "$d/pulumi-resource-$4"';

test("if the network allows it the real plugins are installed in the pinned version", async () => {
  const { pulumi, context, called } = await machine(installs);
  const { plugins, launchers } = await resolveProviders(pulumi, context, (await server()).url, download);
  expect(launchers).toBeUndefined();
  expect(plugins.random).toMatchObject({ kind: "real", source: "plugin install", version: pinnedPlugins().random });
  expect(await called()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^plugin install resource random \S+ --file \S+random\.tar\.gz$/)]),
  );
  expect(await called()).toHaveLength(offlinePackages.length);
});

test("a plugin that cannot be installed is replaced by the offline one, and said so", async () => {
  const { pulumi, context, lines } = await machine(`[ "$4" != vault ] || exit 1\n${installs}`);
  const { plugins, launchers } = await resolveProviders(pulumi, context, (await server()).url, download);
  expect(plugins.random?.kind).toBe("real");
  expect(plugins.vault?.kind).toBe("offline");
  expect(lines.some((line) => line.includes("exit code 1; continuing without it"))).toBe(true);
  expect(await readdir(launchers ?? "")).toEqual(["pulumi-resource-vault"]);
});

test("a plugin whose archive is not proven is not installed", async () => {
  const { pulumi, context, lines, called } = await machine(installs);
  const refusing = async (folder: string, plugin: PluginDownload) => {
    if (plugin.name === "vault") throw new Error("checksum mismatch, refused: vault");
    return download(folder, plugin);
  };
  const { plugins } = await resolveProviders(pulumi, context, (await server()).url, refusing);
  expect([plugins.random?.kind, plugins.vault?.kind]).toEqual(["real", "offline"]);
  expect(lines).toContain("checksum mismatch, refused: vault; continuing without it");
  expect((await called()).filter((call) => call.includes("vault"))).toEqual([]);
});

test("an archive is held to the digest of its release, and the real CLI installs it", async () => {
  const folder = await testFolder();
  await script(folder, "pulumi-resource-random", "true");
  const made = path.join(folder, "made.tar.gz");
  await execa("tar", ["-czf", made, "-C", folder, "pulumi-resource-random"]);
  const content = await readFile(made);
  const archives = await serving((_, response) => response.end(content));
  const name = pluginArchive("random", "4.21.2");
  const from = async (assets: unknown) => ({
    description: await json({ assets }),
    archives: archives.replace(/\/$/, ""),
  });
  const get = async (assets: unknown) =>
    downloadPlugin(folder, { name: "random", version: "4.21.2", from: await from(assets) });

  for (const none of [[], [{ name }], [{ name, digest: null }], [{ name, digest: "sha1:abcd" }]]) {
    await expect(get(none)).rejects.toThrow(`has no SHA-256 for ${name}`);
  }
  const sum = createHash("sha256").update(content).digest("hex");
  await expect(get([{ name, digest: `sha256:${"ab".repeat(32)}` }])).rejects.toThrow(
    `checksum mismatch, refused: ${archives}${name} has SHA-256 ${sum}`,
  );
  const file = await get([{ name, digest: `sha256:${sum}` }]);

  const { pulumi } = await resolveToolchain({ need: ["pulumi"], onProgress: () => undefined });
  const home = path.join(folder, "home");
  await execa(pulumi.path, ["plugin", "install", "resource", "random", "4.21.2", "--file", file], {
    env: { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  expect(await readdir(path.join(home, "plugins", "resource-random-v4.21.2"))).toContain("pulumi-resource-random");
});

test("without a network nothing is installed, and it is asked only once an hour", async () => {
  const { pulumi, context, called, lines } = await machine(installs);
  const { url, asked, stop } = await server();
  stop();
  expect((await resolveProviders(pulumi, context, url, download)).plugins.random?.kind).toBe("offline");
  const reachable = await server();
  expect((await resolveProviders(pulumi, context, reachable.url, download)).plugins.random?.kind).toBe("offline");
  expect([asked(), reachable.asked(), await called()]).toEqual([0, 0, []]);
  expect(lines).toEqual([
    `${url} does not answer; continuing without installing plugins`,
    `${reachable.url} did not answer 0 min ago, and is not tried again within the hour; continuing without it`,
  ]);
  // An operator who asks by name is not told what was so an hour ago; and an answer makes up for the vain try.
  const again = { ...context, retry: true };
  expect((await resolveProviders(pulumi, again, reachable.url, download)).plugins.random?.kind).toBe("real");
  expect(reachable.asked()).toBe(1);
});
