import type { Figure } from "./figures";
import type { PeakMemory } from "./processes";

/** The peak of memory, and what it is made of. */
export function memoryFigures({ peakMiB, shareMiB, programs }: PeakMemory): Figure[] {
  const classes = new Map<string, { count: number; residentMiB: number; shareMiB: number }>();
  for (const { program, count, ...sizes } of programs) {
    const name = classOf(program);
    const before = classes.get(name) ?? { count: 0, residentMiB: 0, shareMiB: 0 };
    classes.set(name, {
      count: before.count + count,
      residentMiB: before.residentMiB + sizes.residentMiB,
      shareMiB: before.shareMiB + sizes.shareMiB,
    });
  }
  const parts = [...classes].toSorted(([, a], [, b]) => b.residentMiB - a.residentMiB);
  return [
    {
      what: "memory at its peak: all of it, and with a shared page counted once",
      measured: `${mebibytes(peakMiB)}; ${mebibytes(shareMiB)}`,
    },
    {
      what: "of that",
      measured: parts
        .map(([name, of]) => `${of.count} ${name} ${mebibytes(of.residentMiB)} (${mebibytes(of.shareMiB)})`)
        .join(", "),
    },
  ];
}

const mebibytes = (size: number): string => `${Math.round(size)} MiB`;

const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/^pulumi$/, "engine"],
  [/^pulumi-language-/, "language host"],
  [/^index\.js$/, "program"],
  [/^rotation\.mjs$/, "rotation"],
  [/\.mjs$/, "steps"],
];

const classOf = (program: string): string => CLASSES.find(([name]) => name.test(program))?.[1] ?? program;
