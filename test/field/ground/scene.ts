import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardFolder } from "../../../dev/lab/guard";
import { endPulumiProcesses } from "../../../dev/lab/stack-processes";

/** The folder of a platform, and what ends with it. */
export interface Scene {
  readonly dir: string;
  /** A server that is stopped with the rest, before those that were started earlier. */
  started<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T>;
  /** The same for anything else. */
  also(stop: () => Promise<unknown>): void;
}

/** Sets a platform up in a folder of its own. What had been started is stopped when something fails. */
export async function inScene<T extends object>(
  assemble: (scene: Scene) => Promise<T>,
): Promise<T & { stop(): Promise<void> }> {
  const dir = join(tmpdir(), `secret-rotation-field-${randomBytes(6).toString("hex")}`);
  const release = guardFolder(dir);
  await mkdir(dir, { mode: 0o711 });
  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    await endPulumiProcesses(dir);
    for (const cleanup of cleanups.splice(0).reverse()) await Promise.allSettled([cleanup()]);
    await rm(dir, { recursive: true, force: true });
    release();
  };
  const also: Scene["also"] = (cleanup) => void cleanups.push(cleanup);
  const started: Scene["started"] = async (starting) => {
    const server = await starting;
    also(() => server.stop());
    return server;
  };
  try {
    return { ...(await assemble({ dir, started, also })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
