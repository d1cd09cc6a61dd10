import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { PROBES_FILE, type ProbeFigures, probeLine } from "../../core/probes";
import type { EngineResult, Happening } from "./engine-result";

/** Milliseconds between two looks into the file. */
const LOOK = 300;

/** An update, and what its probes see meanwhile: their process writes it into a temporary file, a line each time. */
export async function withProbes(
  envVars: Record<string, string>,
  happens: (happening: Happening) => void,
  act: () => Promise<EngineResult>,
): Promise<EngineResult> {
  const folder = await mkdtemp(join(tmpdir(), "rotation-probes-"));
  const file = join(folder, "probes.jsonl");
  const handle = await open(file, "a+", 0o600);
  envVars[PROBES_FILE] = file;
  const probes: Record<string, ProbeFigures> = {};
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const read = async () => {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(65_536), position: null });
    const lines = (rest + decoder.write(buffer.subarray(0, bytesRead))).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { secret, figures } = probeLine.parse(JSON.parse(line));
      probes[secret] = figures;
      happens({ kind: "probe", secret, figures });
    }
    return bytesRead;
  };
  const whole = async () => {
    while ((await read()) > 0);
  };
  let reading = Promise.resolve();
  const timer = setInterval(() => {
    reading = reading.then(whole).catch(() => undefined);
  }, LOOK);
  try {
    const result = await act();
    await reading;
    await whole().catch(() => undefined);
    return { ...result, probes };
  } finally {
    clearInterval(timer);
    delete envVars[PROBES_FILE];
    await reading;
    await handle.close();
    await rm(folder, { recursive: true, force: true });
  }
}
