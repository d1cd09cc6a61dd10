import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf } from "../../../core/errors";
import { kindDeclaration } from "../../../kinds/custom/schema";
import { projectRoot } from "../../toolchain/project";
import { UsageError } from "../errors";
import type { KindFolder } from "./calls";

const FILE = "kind.json";

/** Reads what a kind's folder declares. @throws UsageError that names every wrong key */
export async function readKind(folder: string): Promise<KindFolder> {
  const directory = resolve(folder);
  const file = join(directory, FILE);
  const text = await readFile(file, "utf8").catch((error) => {
    throw new UsageError(
      `expected ${file}, which names the commands (docs/custom.md), found none: ${messageOf(error)}`,
    );
  });
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`expected JSON in ${file}: ${messageOf(error)}`);
  }
  const declaration = kindDeclaration.safeParse(written);
  if (declaration.success) return { directory, declaration: declaration.data };
  const wrong = declaration.error.issues.map(({ path, message }) => `${path.join(".") || FILE}: ${message}`);
  throw new UsageError(`${file} is wrong:\n${wrong.map((line) => `  ${line}`).join("\n")}`);
}

/** Copies the template of a kind into a folder, which must be new or empty. @throws UsageError */
export async function makeKind(folder: string): Promise<string> {
  const directory = resolve(folder);
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0)
    throw new UsageError(`expected a new or an empty folder, found files in ${directory}; nothing was written`);
  await cp(join(projectRoot(), "templates", "custom-kind"), directory, { recursive: true });
  return directory;
}
