import type { LabDatabase, LabService } from "../lab/platform";
import { type Figure, growthExponent, median, type Outcome, seconds } from "./figures";
import { memoryFigures } from "./memory";
import { Platform, preview, up, upWithMemory } from "./platform";
import type { PeakMemory } from "./processes";

interface Size extends PeakMemory {
  readonly count: number;
  readonly preview: number;
  readonly rotation: number;
}

/** (d) many databases, each with a service of its own. */
export async function scaleBench(say: (text: string) => void, sizes: readonly number[]): Promise<Outcome> {
  const measured: Size[] = [];
  for (const count of sizes) measured.push(await databases(say, count));
  return {
    title: "Many databases, each with a service of its own",
    figures: [...measured.flatMap((size) => [sizeFigure(size), ...memoryFigures(size)]), ...growthFigures(measured)],
    notes: [
      "Previews are medians of 3. A rotation of all is one update, alternating users; the time has the restarts of the lab's services in it, which share this machine.",
      "Memory is the resident memory of the engine, the language host, the program, the plugins and the steps that run at that moment; in brackets with a shared page counted once.",
      "Each database runs six steps, a process of Node.js each, and a service restarts: about 2 s of processor, which the cores share.",
    ],
  };
}

const sizeFigure = ({ count, ...size }: Size): Figure => ({
  what: `${count} database${count === 1 ? "" : "s"}`,
  measured: `preview without a change ${seconds(size.preview)}, rotation of all ${seconds(size.rotation)}`,
});

/** The largest exponent between the two largest sizes. */
const MOST = 1.2;

/** How the time of a rotation of all grows, over all sizes and from each to the next, and what one database took at the most. */
function growthFigures(sizes: readonly Pick<Size, "count" | "rotation">[]): Figure[] {
  const exponentOf = (of: typeof sizes) => growthExponent(of.map(({ count, rotation }) => ({ x: count, y: rotation })));
  const steps = sizes.slice(1).map((size, index) => {
    const before = sizes[index] as Size;
    return `${exponentOf([before, size]).toFixed(2)} from ${before.count} to ${size.count}`;
  });
  const exponent = sizes.length < 2 ? undefined : exponentOf(sizes);
  const last = sizes.length < 2 ? 0 : exponentOf(sizes.slice(-2));
  const largest = sizes.at(-1);
  const perDatabase = largest === undefined ? undefined : largest.rotation / largest.count;
  return [
    ...(exponent === undefined
      ? []
      : [
          {
            what: "(d) growth of a rotation of all, exponent; the target is between the two largest",
            measured: steps.length < 2 ? exponent.toFixed(2) : `${exponent.toFixed(2)} (${steps.join(", ")})`,
            target: `<= ${MOST}`,
            met: last <= MOST,
          },
        ]),
    ...(perDatabase === undefined
      ? []
      : [
          {
            what: `(d) per database, of ${largest?.count}`,
            measured: seconds(perDatabase),
            target: "<= 0.5 s",
            met: perDatabase <= 0.5,
          },
        ]),
  ];
}

/** A lab's databases and a service for each that says nothing. */
export function quietPlatform(count: number): { databases: LabDatabase[]; services: LabService[] } {
  const names = Array.from({ length: count }, (_, index) => `db${index + 1}`);
  return {
    databases: names.map((name) => ({ name, role: name, secretName: `${name}/password` })),
    services: names.map((name) => ({ name: `${name}-service`, database: `${name}/password`, quiet: true })),
  };
}

async function databases(say: (text: string) => void, count: number): Promise<Size> {
  say(`${count} databases: starting them`);
  const platform = await Platform.start(quietPlatform(count));
  try {
    const { stack } = platform;
    say(`${count} databases: first update`);
    const first = await up(stack);
    say(`${count} databases: ${seconds(first.seconds)}; previews without a change`);
    const previews: number[] = [];
    for (let run = 1; run <= 3; run++) previews.push((await preview(stack)).seconds);
    await platform.becomeDue();
    say(`${count} databases: rotation of all`);
    const { seconds: rotation, ...memory } = await upWithMemory(stack);
    const size = { count, preview: median(previews), rotation, ...memory };
    const { what, measured } = sizeFigure(size);
    say(`${what}: ${measured}`);
    return size;
  } finally {
    await platform.stop();
  }
}
