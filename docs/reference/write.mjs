// `npm run docs`: writes docs/reference.md and docs/schemas anew.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const bundle = join("dist", "reference-page.mjs");
await build({
  entryPoints: ["docs/reference/page.ts"],
  outfile: bundle,
  bundle: true,
  platform: "node",
  format: "esm",
  external: ["typescript"],
  logLevel: "warning",
});
try {
  const { jsonSchemas, referencePage } = await import(pathToFileURL(bundle).href);
  await writeFile(join("docs", "reference.md"), referencePage());
  await mkdir(join("docs", "schemas"), { recursive: true });
  for (const [file, text] of Object.entries(jsonSchemas())) await writeFile(join("docs", "schemas", file), text);
} finally {
  await rm(bundle);
}
