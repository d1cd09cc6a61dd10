import { join } from "node:path";
import { poll } from "../../lab/poll";
import { freePort } from "../../lab/ports";
import { startProcess } from "../../lab/processes";
import { resolveToolchain } from "../../toolchain/resolve";

/** An emulator of AWS on loopback; its address, and its end. */
export async function startMoto(dir: string): Promise<{ address: string; stop(): Promise<void> }> {
  const { moto } = await resolveToolchain({ need: ["moto"], onProgress: () => undefined });
  if (!moto) throw new Error("expected the toolchain to have moto, found none; run npm run toolchain");
  const port = await freePort("127.0.0.1");
  const server = await startProcess({
    command: moto.path,
    args: ["-H", "127.0.0.1", "-p", String(port)],
    logFile: join(dir, "moto.log"),
  });
  const address = `http://127.0.0.1:${port}`;
  try {
    const answers = async () => (await fetch(`${address}/moto-api/`)).ok;
    await poll(answers, { what: `moto on ${address}`, limitMs: 60_000 });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { address, stop: () => server.stop() };
}
