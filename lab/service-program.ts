import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Copies the service, as `npm run build` bundled it, into `dir` and returns the file. Every lab has its own, so that
 * building the project does not pull the program out from under a lab that runs.
 *
 * @throws Error where the project is not built
 */
export async function copyService(dir: string): Promise<string> {
  const file = join(dir, "service.cjs");
  await copyFile(builtService(), file);
  return file;
}

// Found upwards from here: this module runs from lab/ as well as from dist/.
function builtService(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "dist/lab/service.cjs");
    if (existsSync(file)) return file;
  }
  throw new Error(`expected dist/lab/service.cjs above ${start}, found none; run \`npm run build\``);
}
