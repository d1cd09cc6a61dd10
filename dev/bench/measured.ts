import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { projectRoot } from "../../cli/toolchain/project";

/** What a Node.js process used. */
export interface Measured {
  /** Its own time on a processor, user and system: what the machine's other load does not change. */
  readonly cpuSeconds: number;
  /** From start to end, by the clock. */
  readonly seconds: number;
  readonly peakMb: number;
  readonly exitCode: number;
  readonly stdout: string;
}

export interface MeasureOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The bundled `rotation` command. */
export const rotationCommand = (): string => join(projectRoot(), "dist/cli/rotation.mjs");

/** Runs `node ARGS...` and says what it used. */
export async function measure(args: readonly string[], { cwd, env }: MeasureOptions = {}): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "measured-"));
  const note = join(folder, "note.json");
  const preload = pathToFileURL(join(projectRoot(), "dist/dev/bench/measure-self.mjs")).href;
  try {
    const started = performance.now();
    const { exitCode, stdout, stderr } = await execa(process.execPath, ["--import", preload, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...env, ROTATION_BENCH_NOTE: note },
      reject: false,
      maxBuffer: 2 ** 30,
    });
    const seconds = (performance.now() - started) / 1000;
    if (exitCode === undefined) throw new Error(`node ${args.join(" ")} did not end by itself: ${stderr}`);
    const used = JSON.parse(await readFile(note, "utf8")) as Pick<Measured, "cpuSeconds" | "peakMb">;
    if (exitCode === 1) throw new Error(`node ${args.join(" ")} failed: ${stderr || stdout}`);
    return { ...used, seconds, exitCode, stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
