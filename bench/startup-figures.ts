import { startAuditPlatform } from "./audit-platform";
import { type Measured, measure, median, rotationCommand } from "./measured";

/** What the start of one command costs. Times are medians, in seconds. */
export interface StartupFigures {
  readonly command: string;
  /** The process's own time, an empty Node.js process's among it. */
  readonly cpuSeconds: number;
  /** The same without what an empty process takes. */
  readonly beyondEmpty: number;
  readonly seconds: number;
  readonly peakMb: number;
  /** What the command should take at most, in seconds; undefined for the empty process. */
  readonly target?: number;
}

const COMMANDS: readonly { readonly args: readonly string[]; readonly target: number }[] = [
  { args: ["--help"], target: 0.2 },
  { args: ["status"], target: 0.5 },
  { args: ["report", "--last", "90d"], target: 0.5 },
  { args: ["report", "--last", "90d", "--format", "html"], target: 0.5 },
  { args: ["remind"], target: 0.5 },
  { args: ["metrics"], target: 0.5 },
];

/** Runs each command and an empty process in turns, so that the machine's other load meets all of them alike. */
export async function startupFigures(times: number, say: (line: string) => void): Promise<StartupFigures[]> {
  const platform = await startAuditPlatform();
  try {
    await platform.fill(200, 180);
    const runs = new Map<string, Measured[]>();
    const note = (name: string, run: Measured) => runs.set(name, [...(runs.get(name) ?? []), run]);
    for (let turn = 0; turn < times; turn++) {
      note("(empty)", await measure(["--eval", "0"]));
      for (const { args } of COMMANDS) {
        const place = args[0] === "--help" ? [] : ["--stack", "prod", "--cwd", platform.projectDir];
        note(args.join(" "), await measure([rotationCommand(), ...args, ...place], { env: platform.env }));
      }
    }
    const middle = (name: string, key: "cpuSeconds" | "seconds" | "peakMb") =>
      median((runs.get(name) ?? []).map((run) => run[key]));
    const figures = [...runs.keys()].map((name) => ({
      command: name,
      cpuSeconds: middle(name, "cpuSeconds"),
      beyondEmpty: middle(name, "cpuSeconds") - middle("(empty)", "cpuSeconds"),
      seconds: middle(name, "seconds"),
      peakMb: Math.round(middle(name, "peakMb")),
      ...targetOf(name),
    }));
    for (const figure of figures) say(line(figure));
    return figures;
  } finally {
    await platform.stop();
  }
}

function targetOf(name: string): { target?: number } {
  const found = COMMANDS.find(({ args }) => args.join(" ") === name);
  return found === undefined ? {} : { target: found.target };
}

function line({ command, cpuSeconds, beyondEmpty, seconds, peakMb, target }: StartupFigures): string {
  const aim = target === undefined ? "" : `, aim ${target} s: ${cpuSeconds <= target ? "met" : "MISSED"}`;
  return `${command}: ${cpuSeconds.toFixed(2)} s of its own (${beyondEmpty.toFixed(2)} s beyond an empty process), ${seconds.toFixed(2)} s by the clock, ${peakMb} MB${aim}`;
}
