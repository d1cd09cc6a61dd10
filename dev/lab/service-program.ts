import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../cli/toolchain/project";

/**
 * Copies the service and AWS's SDK, as `npm run build` bundled them, into `dir` and returns the service's file. Every lab has its own, so that
 * building the project does not pull the program out from under a lab that runs.
 *
 * @throws Error if the project is not built
 */
export async function copyService(dir: string): Promise<string> {
  const copy = async (name: string): Promise<string> => {
    const built = join(projectRoot(), "dist", "dev", "lab", name);
    if (!existsSync(built)) throw new Error(`expected ${built}, found none; run \`npm run build\``);
    const file = join(dir, name);
    await copyFile(built, file);
    return file;
  };
  await copy("service-aws.cjs");
  return copy("service.cjs");
}
