import { watch } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../config";
import type { Stack } from "../lab/stack";
import { type Figure, type Outcome, seconds } from "./figures";
import { homeOf, Platform, up } from "./platform";
import { type ProcessorTime, withProcessorTime } from "./processes";

/** What one update cost, and whom. */
interface Profile {
  readonly seconds: number;
  /** How often the engine wrote the state. */
  readonly writes: number;
  /** Resources, by what was done to them, in the engine's own words. */
  readonly resources: string;
  readonly used: readonly ProcessorTime[];
}

/** Where the time of one rotation goes: engine, language host, program, plugins, steps. */
export async function profileBench(say: (text: string) => void): Promise<Outcome> {
  const platform = await Platform.start({});
  try {
    await up(platform.stack);
    await up(platform.floor);
    await up(platform.empty);
    say("profile: a rotation, updates without a change");
    await platform.becomeDue();
    const rotation = await profiled(platform.stack);
    const unchanged = await profiled(platform.stack);
    const floor = await profiled(platform.floor);
    const empty = await profiled(platform.empty);
    return {
      title: "Where the time of one rotation goes",
      figures: [
        figure("a rotation", rotation),
        figure("an update without a change", unchanged),
        figure("an update of a program with one resource of each plugin", floor),
        figure("an update of an empty program", empty),
        ...partsOf(rotation).map(([part, words]) => ({ what: `of the rotation: ${part}`, measured: words })),
      ],
      notes: [
        "One database with alternating users and two services; seconds of processor time, one run each. A step's time is what the command plugin waited for,",
        "without what its services' restarts cost. The state is a file, which the engine writes whole each time.",
      ],
    };
  } finally {
    await platform.stop();
  }
}

function figure(what: string, { seconds: took, writes, resources, used }: Profile): Figure {
  const all = used.filter(({ program }) => !isStep(program)).reduce((sum, { own }) => sum + own, 0) + stepsTime(used);
  return {
    what,
    measured: `${seconds(all)} (${took.toFixed(1)} s by the clock), ${writes} writes of the state; ${resources}`,
  };
}

const isStep = (program: string) => program.endsWith(".mjs");

/** Only the command plugin starts steps. */
const stepsTime = (used: readonly ProcessorTime[]) =>
  used.filter(({ program }) => program === "pulumi-resource-command").reduce((sum, { children }) => sum + children, 0);

function partsOf({ used }: Profile): [string, string][] {
  const sum = (name: RegExp) => used.filter(({ program }) => name.test(program)).reduce((all, { own }) => all + own, 0);
  const plugins = [...new Set(used.map(({ program }) => program))].filter((name) =>
    name.startsWith("pulumi-resource-"),
  );
  const steps = used.map(({ program }) => program).filter(isStep);
  return [
    ["engine", seconds(sum(/^pulumi$/))],
    ["language host", seconds(sum(/^pulumi-language-/))],
    ["program", seconds(sum(/^index\.js$/))],
    ...plugins.toSorted().map((name): [string, string] => [name, seconds(sum(new RegExp(`^${name}$`)))]),
    [`${steps.length} steps`, `${seconds(stepsTime(used))} (${counted(steps)})`],
  ];
}

/** `restart-service 2, verify-login 2, ...` */
function counted(programs: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const program of programs) counts.set(program, (counts.get(program) ?? 0) + 1);
  return [...counts]
    .map(([program, count]) => `${program.replace(/\.mjs$/, "")}${count === 1 ? "" : ` ${count}`}`)
    .join(", ");
}

async function profiled(stack: Stack): Promise<Profile> {
  let writes = 0;
  const state = watch(join(stack.stateDir, ".pulumi", "stacks", PROJECT), (event, file) => {
    // The engine writes a file beside it and moves that there.
    if (event === "rename" && file === `${stack.name}.json`) writes += 1;
  });
  try {
    const { result, used } = await withProcessorTime(homeOf(stack), () => up(stack));
    const [, resources = ""] = /Resources:\n([\s\S]*?)\n\n/.exec(result.stdout) ?? [];
    return { seconds: result.seconds, writes, used, resources: resources.trim().split(/\n\s*/).join(", ") };
  } finally {
    state.close();
  }
}
