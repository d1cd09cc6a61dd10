import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { isOfflineLauncher, launcherScript } from "../../../cli/toolchain/launchers";
import { script, testFolder } from "./support";

const NAME = "pulumi-resource-random";

/** A launcher on PATH whose offline plugin says `offline`, and what starting it prints. */
async function machine() {
  const [ours, others, home, passwd] = [await testFolder(), await testFolder(), await testFolder(), await testFolder()];
  const main = path.join(await testFolder(), "it's main.sh");
  await writeFile(main, 'echo "offline $*"\n');
  const text = launcherScript(
    "/bin/sh",
    main,
    { name: "random", version: "4.21.2" },
    path.join(passwd, "it's .pulumi"),
  );
  for (const folder of [ours, others]) await script(folder, NAME, "");
  await writeFile(path.join(ours, NAME), text);
  // The launcher of another checkout.
  await writeFile(path.join(others, NAME), text.replaceAll(main, "/nowhere"));
  const start = (env: Record<string, string> = {}) =>
    execFileSync(path.join(ours, NAME), ["127.0.0.1:1"], {
      env: { PATH: `${ours}:${others}::/bin`, HOME: home, ...env },
      encoding: "utf8",
    }).trim();
  return { ours, others, home, passwd, start, text };
}

test("a launcher is known by its first bytes, and starts the offline plugin if there is no real one", async () => {
  const { start, text } = await machine();
  expect(isOfflineLauncher(text.slice(0, 400))).toBe(true);
  expect(start()).toBe("offline random 127.0.0.1:1");
});

test("a real plugin that came later wins: on PATH, in the plugin folder, in PULUMI_HOME", async () => {
  const { ours, others, home, passwd, start } = await machine();
  const installed = (root: string) => path.join(root, "plugins", "resource-random-v4.21.2");
  await script(installed(path.join(home, ".pulumi")), NAME, 'echo "folder $*"');
  expect(start()).toBe("folder 127.0.0.1:1");
  // Where Pulumi itself looks: in the passwd's home.
  await script(installed(path.join(passwd, "it's .pulumi")), NAME, 'echo "passwd $*"');
  expect(start()).toBe("passwd 127.0.0.1:1");
  const moved = await testFolder();
  expect(start({ PULUMI_HOME: moved })).toBe("offline random 127.0.0.1:1");
  await script(installed(moved), NAME, 'echo "moved $*"');
  expect(start({ PULUMI_HOME: moved })).toBe("moved 127.0.0.1:1");
  await writeFile(`${installed(moved)}.partial`, "");
  expect(start({ PULUMI_HOME: moved })).toBe("offline random 127.0.0.1:1");
  const real = await testFolder();
  await script(real, NAME, 'echo "path $*"');
  expect(start({ PATH: `${ours}:${others}:${real}:/bin` })).toBe("path 127.0.0.1:1");
});

test("neither a folder of that name, nor another version, nor a file that cannot run is a real plugin", async () => {
  const { ours, home, start } = await machine();
  const odd = await testFolder();
  await mkdir(path.join(odd, NAME));
  const plain = await testFolder();
  await writeFile(path.join(plain, NAME), "#!/bin/sh\necho no\n");
  await script(path.join(home, ".pulumi", "plugins", "resource-random-v4.21.1"), NAME, "echo old");
  expect(start({ PATH: `${ours}:${odd}:${plain}:/bin` })).toBe("offline random 127.0.0.1:1");
});
