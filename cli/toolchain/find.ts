import { constants } from "node:fs";
import { access, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

const isExecutable = async (file: string) => {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
};

/** The first executable of that name on PATH that `accept` accepts; undefined when there is none. */
export async function findOnPath(
  name: string,
  env: NodeJS.ProcessEnv,
  accept: (file: string) => Promise<boolean> = async () => true,
): Promise<string | undefined> {
  for (const folder of (env.PATH ?? "").split(path.delimiter)) {
    const file = path.resolve(folder, name);
    if (folder !== "" && (await isExecutable(file)) && (await accept(file))) return file;
  }
  return undefined;
}

/** An executable of that name in a folder; undefined when it is not there. */
export async function findIn(folder: string, name: string): Promise<string | undefined> {
  const file = path.join(folder, name);
  return (await isExecutable(file)) ? file : undefined;
}

/** The first version number in a program's `version` output, without a leading "v". */
export function parseVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)/.exec(output)?.[1];
}

/** True when `found` is at least `wanted`, comparing the dotted numbers. */
export function atLeast(found: string, wanted: string): boolean {
  const numbers = (version: string) => version.split(/[-+]/)[0]?.split(".").map(Number) ?? [];
  const [have, want] = [numbers(found), numbers(wanted)];
  for (let index = 0; index < Math.max(have.length, want.length); index++) {
    const difference = (have[index] ?? 0) - (want[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** True when the folder has anything in it. */
export async function hasContent(folder: string): Promise<boolean> {
  return await readdir(folder).then(
    (names) => names.length > 0,
    () => false,
  );
}

/** The first bytes of a file as text; "" when it cannot be read. */
export async function head(file: string, bytes = 400): Promise<string> {
  return await readFile(file).then(
    (content) => content.subarray(0, bytes).toString("latin1"),
    () => "",
  );
}
