import type { LabDatabase, LabService } from "../lab/platform";
import { type Figure, growthExponent, median, type Outcome, seconds } from "./figures";
import { Platform, preview, up } from "./platform";
import { withPeakMemory } from "./processes";

interface Size {
  readonly count: number;
  readonly preview: number;
  readonly rotation: number;
  readonly peakMiB: number;
}

/** (d) many databases, each with a service of its own. */
export async function scaleBench(say: (text: string) => void, sizes: readonly number[]): Promise<Outcome> {
  const measured: Size[] = [];
  for (const count of sizes) measured.push(await databases(say, count));
  const points = (of: "preview" | "rotation") => measured.map((size) => ({ x: size.count, y: size[of] }));
  const largest = measured.at(-1);
  const perDatabase = largest === undefined ? Number.NaN : largest.rotation / largest.count;
  const exponent = sizes.length < 2 ? undefined : growthExponent(points("rotation"));
  return {
    title: "Many databases, each with a service of its own",
    figures: [
      ...measured.map(
        ({ count, ...size }): Figure => ({
          what: `${count} database${count === 1 ? "" : "s"}`,
          measured: `preview without a change ${seconds(size.preview)}, rotation of all ${seconds(size.rotation)}, ${Math.round(size.peakMiB)} MiB at the most`,
        }),
      ),
      ...(exponent === undefined
        ? []
        : [
            {
              what: "(d) growth of a rotation of all, exponent",
              measured: exponent.toFixed(2),
              target: "<= 1.1",
              met: exponent <= 1.1,
            },
          ]),
      {
        what: `(d) per database, of ${largest?.count ?? 0}`,
        measured: seconds(perDatabase),
        target: "<= 0.5 s",
        met: perDatabase <= 0.5,
      },
    ],
    notes: [
      "Previews are medians of 3. A rotation of all is one update, alternating users; the time has the restarts of the lab's services in it, which share this machine.",
      "Memory is the sum over the engine, the language host and the plugins.",
      "Each database runs six steps, a process of Node.js each, and a service restarts: about 2 s of processor, which the cores share.",
    ],
  };
}

async function databases(say: (text: string) => void, count: number): Promise<Size> {
  const names = Array.from({ length: count }, (_, index) => `db${index + 1}`);
  const all: LabDatabase[] = names.map((name) => ({ name, role: name, secretName: `${name}/password` }));
  const services: LabService[] = names.map((name) => ({
    name: `${name}-service`,
    database: `${name}/password`,
    quiet: true,
  }));
  say(`${count} databases: starting them`);
  const platform = await Platform.start({ databases: all, services });
  try {
    const { stack } = platform;
    say(`${count} databases: first update`);
    await up(stack);
    const previews: number[] = [];
    for (let run = 1; run <= 3; run++) previews.push((await preview(stack)).seconds);
    await platform.becomeDue();
    say(`${count} databases: rotation of all`);
    const { result, peakMiB } = await withPeakMemory(`PULUMI_HOME=${stack.env.PULUMI_HOME}`, () => up(stack));
    return { count, preview: median(previews), rotation: result.seconds, peakMiB };
  } finally {
    await platform.stop();
  }
}
