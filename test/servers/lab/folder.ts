import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder for a test, and its removal. */
export async function testFolder(): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "lab-test-"));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
