// `npm run docs`: writes docs/reference.md anew.
import { rm, writeFile } from "node:fs/promises";
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
  const { referencePage } = await import(pathToFileURL(bundle).href);
  await writeFile(join("docs", "reference.md"), referencePage());
} finally {
  await rm(bundle);
}
