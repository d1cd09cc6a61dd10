import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { pulumiHome } from "../../clients/home";
import { quoted } from "../../core/shell-word";
import type { PluginVersion } from "./plugin-advice";
import { projectRoot } from "./project";
import { ToolchainError } from "./types";

const mark = "# secret-rotation: offline plugin";

/** Whether a file on PATH is a launcher of ours rather than a real plugin, given its first bytes. */
export function isOfflineLauncher(start: string): boolean {
  return start.includes(mark);
}

/**
 * The launcher's text: a shell script that becomes the plugin's process. The engine takes what is on PATH before what is
 * in the plugin folder, so the script itself runs a real plugin that was installed since it was written.
 */
export function launcherScript(
  node: string,
  main: string,
  { name, version }: PluginVersion,
  home = pulumiHome({}),
): string {
  return `#!/bin/sh
${mark}
set -f; IFS=:
for folder in $PATH; do
  real="$folder/pulumi-resource-${name}"
  [ -f "$real" ] && [ -x "$real" ] || continue
  line=; { read -r _ && read -r line; } < "$real"
  [ "$line" = '${mark}' ] || exec "$real" "$@"
done
own=${quoted(home)}
for home in \${PULUMI_HOME:-$own:\${HOME:-}/.pulumi}; do
  installed="$home/plugins/resource-${name}-v${version}"
  [ -e "$installed.partial" ] || [ ! -x "$installed/pulumi-resource-${name}" ] || exec "$installed/pulumi-resource-${name}" "$@"
done
exec ${quoted(node)} ${quoted(main)} ${quoted(name)} "$@"
`;
}

async function writeIfDifferent(file: string, text: string): Promise<void> {
  if ((await readFile(file, "utf8").catch(() => undefined)) === text) return;
  const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  await writeFile(temporary, text, { mode: 0o755 });
  await rename(temporary, file);
}

/**
 * Writes one launcher for each package (name to version) and returns their folder. The folder belongs to this checkout, this Node.js and
 * this set of packages, so that callers with other real plugins on PATH do not see each other's launchers.
 * @throws ToolchainError when the bundle of the offline plugins is not built
 */
export async function writeLaunchers(cache: string, packages: Readonly<Record<string, string>>): Promise<string> {
  const main = path.join(projectRoot(), "dist", "dev", "toolchain", "plugins", "main.mjs");
  if (!existsSync(main)) throw new ToolchainError(`the offline plugins are not built (${main}); run \`npm run build\``);
  const identity = [main, process.execPath, ...Object.entries(packages).flat().sort()].join("\0");
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 12);
  const folder = path.join(cache, "offline-plugins", hash);
  await mkdir(folder, { recursive: true });
  for (const [name, version] of Object.entries(packages)) {
    const text = launcherScript(process.execPath, main, { name, version });
    await writeIfDifferent(path.join(folder, `pulumi-resource-${name}`), text);
  }
  return folder;
}
