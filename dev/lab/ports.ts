import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ports that systems give to outgoing connections (from 32768 on Linux): there another process's connection may
 * take a port after it was found free and before its server starts.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000];

/** How many taken ports in a row count as an error. */
const TRIES = 100;

/** Each process starts at its own port, so that no port is given twice before its server listens. */
let next = randomInt(LOWEST, HIGHEST);

/** A TCP port that is free on `address` now (127.0.0.1 by default). */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = next;
    next = port + 1 < HIGHEST ? port + 1 : LOWEST;
    if (await isFree(port, address)) return port;
  }
  throw new Error(`no free port on ${address} from ${LOWEST} to ${HIGHEST}: ${TRIES} were tried`);
}

/** Starts a server on a free port, and on another one if that was taken in the meantime. */
export async function onFreePort<T>(start: (port: number) => Promise<T>, tries = 3): Promise<T> {
  try {
    return await start(await freePort());
  } catch (error) {
    if (tries <= 1 || !/address already in use/i.test(error instanceof Error ? error.message : "")) throw error;
    return onFreePort(start, tries - 1);
  }
}

function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" || error.code === "EACCES" ? resolve(false) : reject(error),
    );
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
