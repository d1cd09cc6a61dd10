import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

/** Versions that the toolchain's own `go.mod` files pin; a test compares them. */
export const versions = {
  pulumi: "3.250.0",
  languageHost: "3.68.0",
} as const;

const manifest = z.object({ name: z.string(), dependencies: z.record(z.string(), z.string()).default({}) });

const readManifest = (folder: string) => {
  const file = path.join(folder, "package.json");
  return existsSync(file) ? manifest.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
};

/** The checkout's root folder, found upwards from this module (from its source as from its bundle). */
export function projectRoot(): string {
  const start = path.dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (readManifest(folder)?.name === "secret-rotation") return folder;
    if (folder === path.dirname(folder)) throw new Error(`no package.json of secret-rotation above ${start}`);
  }
}

/** The provider packages this project pins, as `{ random: "4.21.2", ... }`: the plugin versions the engine asks for. */
export function pinnedPlugins(root = projectRoot()): Record<string, string> {
  const dependencies = Object.entries(readManifest(root)?.dependencies ?? {});
  return Object.fromEntries(
    dependencies
      .filter(([name]) => name.startsWith("@pulumi/") && name !== "@pulumi/pulumi")
      .map(([name, version]) => [name.slice("@pulumi/".length), version]),
  );
}
