import { startAuditPlatform } from "./audit-platform";
import { type Figure, median, type Outcome, seconds } from "./figures";
import { type Measured, measure, rotationCommand } from "./measured";

const RUNS = 9;
const EMPTY = "an empty Node.js process";

/** The commands that must be fast, and the seconds of processor time that they may take. */
const COMMANDS: readonly { readonly args: readonly string[]; readonly target: number }[] = [
  { args: ["--help"], target: 0.2 },
  { args: ["status"], target: 0.5 },
  { args: ["report", "--last", "90d"], target: 0.5 },
  { args: ["report", "--last", "90d", "--format", "html"], target: 0.5 },
  { args: ["remind"], target: 0.5 },
  { args: ["metrics"], target: 0.5 },
];

/** What it costs to start the commands that do not start Pulumi. */
export async function startupBench(say: (text: string) => void): Promise<Outcome> {
  const platform = await startAuditPlatform();
  try {
    await platform.fill(200, 180);
    const runs = new Map<string, Measured[]>();
    const note = (name: string, run: Measured) => runs.set(name, [...(runs.get(name) ?? []), run]);
    // In turns, so that the machine's other load meets all of them alike.
    for (let run = 1; run <= RUNS; run++) {
      say(`starts of commands: run ${run} of ${RUNS}`);
      note(EMPTY, await measure(["--eval", "0"]));
      for (const { args } of COMMANDS) {
        const place = args[0] === "--help" ? [] : ["--stack", "prod", "--cwd", platform.projectDir];
        note(args.join(" "), await measure([rotationCommand(), ...args, ...place], { env: platform.env }));
      }
    }
    return {
      title: "Starts of the commands that do not start Pulumi",
      figures: [
        figure(EMPTY, runs.get(EMPTY)),
        ...COMMANDS.map(({ args, target }) =>
          figure(`\`rotation ${args.join(" ")}\``, runs.get(args.join(" ")), target),
        ),
      ],
      notes: [
        `A process's own time on a processor, the median of ${RUNS} runs, on a stack of 20 secrets with 200 rows of log.`,
      ],
    };
  } finally {
    await platform.stop();
  }
}

function figure(what: string, runs: readonly Measured[] = [], target?: number): Figure {
  const own = median(runs.map(({ cpuSeconds }) => cpuSeconds));
  const clock = median(runs.map((run) => run.seconds));
  const memory = Math.round(median(runs.map(({ peakMb }) => peakMb)));
  const measured = `${seconds(own)} (${seconds(clock)} by the clock, ${memory} MB)`;
  return target === undefined ? { what, measured } : { what, measured, target: `< ${target} s`, met: own < target };
}
