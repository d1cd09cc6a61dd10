import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface FoundFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Every file below a folder; links to elsewhere are not followed, and what ends meanwhile is left out. */
export async function filesBelow(folder: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for await (const file of eachFile(folder)) found.push(file);
  return found;
}

/** {@link filesBelow}, one at a time. */
export async function* eachFile(folder: string): AsyncGenerator<FoundFile> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* eachFile(path);
    else if (entry.isFile()) {
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes !== undefined) yield { path, bytes };
    }
  }
}
