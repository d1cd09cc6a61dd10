import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { PG_NAVIGATOR } from "../pg-without-http.mjs";

/**
 * Bundles the service into `dir` and returns the file. Every lab has its own, so that building the project does not pull
 * the program out from under a lab that runs.
 */
export async function bundleService(dir: string): Promise<string> {
  const outfile = join(dir, "service.cjs");
  await build({
    entryPoints: [serviceSource()],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["pg-native"],
    define: { navigator: PG_NAVIGATOR },
    logLevel: "warning",
  });
  return outfile;
}

// Found upwards from here: this module runs from lab/ as well as from dist/.
function serviceSource(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "lab/services/service.ts");
    if (existsSync(file)) return file;
  }
  throw new Error(`expected lab/services/service.ts above ${start}, found none; run from a checkout`);
}
