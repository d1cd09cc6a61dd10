import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { offlinePackages } from "../../toolchain/plugins/packages";
import { pinnedPlugins } from "../../toolchain/project";
import { resolveProviders } from "../../toolchain/providers";
import { script, silent, testFolder } from "./support";

/** A plugin server that answers anything, and counts. */
async function server() {
  let asked = 0;
  const http = createServer((_request, response) => {
    asked += 1;
    response.end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => http.once("listening", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    asked: () => asked,
    stop: () => http.close(),
  };
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

const installs =
  'd="$HOME/.pulumi/plugins/resource-$4-v$5"; mkdir -p "$d"; printf "#!/bin/sh\\n" > "$d/pulumi-resource-$4"; chmod +x "$d/pulumi-resource-$4"';

test("where the network allows it the real plugins are installed in the pinned version", async () => {
  const { pulumi, context, called } = await machine(installs);
  const { plugins, launchers } = await resolveProviders(pulumi, context, (await server()).url);
  expect(launchers).toBeUndefined();
  expect(plugins.random).toMatchObject({ kind: "real", source: "plugin install", version: pinnedPlugins().random });
  expect(await called()).toContain(`plugin install resource random ${pinnedPlugins().random}`);
  expect(await called()).toHaveLength(offlinePackages.length);
});

test("a plugin that cannot be installed is stood in for, and said so", async () => {
  const { pulumi, context, lines } = await machine(`[ "$4" != vault ] || exit 1\n${installs}`);
  const { plugins, launchers } = await resolveProviders(pulumi, context, (await server()).url);
  expect(plugins.random?.kind).toBe("real");
  expect(plugins.vault?.kind).toBe("offline");
  expect(lines.some((line) => line.includes("exit code 1; going on"))).toBe(true);
  expect(await readdir(launchers ?? "")).toEqual(["pulumi-resource-vault"]);
});

test("without a network nothing is installed, and it is asked only once an hour", async () => {
  const { pulumi, context, called } = await machine(installs);
  const { url, asked, stop } = await server();
  stop();
  expect((await resolveProviders(pulumi, context, url)).plugins.random?.kind).toBe("offline");
  const reachable = await server();
  expect((await resolveProviders(pulumi, context, reachable.url)).plugins.random?.kind).toBe("offline");
  expect([asked(), reachable.asked(), await called()]).toEqual([0, 0, []]);
});
