import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { isMadeByVault } from "../../config";
import { writeSection } from "../../dev/bench/proof";
import { resolveToolchain } from "../../dev/toolchain/resolve";
import type { Result } from "./cell";
import { VICTIMS } from "./victims";

declare module "vitest" {
  export interface ProvidedContext {
    /** The file that collects one line a point. */
    crashResults: string;
  }
}

/** The page's sections. Fewer points are no matrix: a run of a part of it does not replace the page's figures. */
const SECTIONS = [
  { name: "crash", whole: 100, has: ({ cell }: Result) => !vaultMakes(cell) },
  { name: "crash-vault", whole: 30, has: ({ cell }: Result) => vaultMakes(cell) },
] as const;

const vaultMakes = ({ strategy }: Result["cell"]) => isMadeByVault({ kind: "postgres-password", strategy });

/** Collects every point's result, and writes the page's section at the end. */
export default async function collect(project: TestProject): Promise<() => Promise<void>> {
  await resolveToolchain({ need: ["pulumi", "openbao", "moto"], onProgress: (line) => console.log(line) });
  const folder = await mkdtemp(join(tmpdir(), "crash-matrix-"));
  const file = join(folder, "results.jsonl");
  await writeFile(file, "");
  project.provide("crashResults", file);
  const started = Date.now();
  return async () => {
    const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
    const results = lines.map((line) => JSON.parse(line) as Result);
    const minutes = Math.round((Date.now() - started) / 6000) / 10;
    console.log(summaryLine(results, minutes));
    for (const { name, whole, has } of SECTIONS) {
      const own = results.filter(has);
      if (new Set(own.map(keyOf)).size >= whole) await writeSection(name, section(own, minutes));
    }
    await rm(folder, { recursive: true, force: true });
  };
}

const keyOf = ({ cell, operation, effect, nth, side, victim }: Result) =>
  [cell.strategy, cell.store, operation, effect, nth, side, victim].join(" ");

/** The figures in one line. */
export function summaryLine(results: readonly Result[], minutes: number): string {
  const distinct = new Set(results.map(keyOf)).size;
  const survived = results.filter(({ problems }) => problems.length === 0).length;
  const lost = results.reduce((sum, { rows }) => sum + Math.max(0, rows.expected - rows.found), 0);
  const tried = results.reduce((sum, { attempts }) => sum + attempts.tried, 0);
  const failed = results.reduce((sum, { attempts }) => sum + attempts.failed - attempts.excused, 0);
  return (
    `crash matrix: ${results.length} points tried (${distinct} distinct), ${survived} survived, rows lost ${lost}, ` +
    `attempts ${tried.toLocaleString("en")}, failed ${failed}, ${minutes} minutes`
  );
}

function section(results: readonly Result[], minutes: number): string {
  const cells = [...new Set(results.map(({ cell }) => `${cell.strategy} on ${cell.store}`))];
  const rows = cells.map((name) => {
    const own = results.filter(({ cell }) => `${cell.strategy} on ${cell.store}` === name);
    const excused = own.reduce((sum, { attempts }) => sum + attempts.excused, 0);
    const failed = own.reduce((sum, { attempts }) => sum + attempts.failed, 0) - excused;
    const tried = own.reduce((sum, { attempts }) => sum + attempts.tried, 0);
    const survived = own.filter(({ problems }) => problems.length === 0).length;
    const between = own.filter((result) => result.between === "half written").length;
    return `| ${[name, own.length, survived, tried, failed, excused, between].join(" | ")} |`;
  });
  const victims = VICTIMS.map((victim) => `${victim} ${results.filter((result) => result.victim === victim).length}`);
  const sides = ["before", "after"].map((side) => `${side} ${results.filter((one) => one.side === side).length}`);
  const effects = new Set(results.map(({ effect }) => effect)).size;
  return [
    `**${summaryLine(results, minutes)}**`,
    "",
    "| Cell | Points | Survived | Logins or requests | Failed | In the window of one role | Pair half written |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `Killed: ${victims.join(", ")}. On which side of the effect: ${sides.join(", ")}. ${effects} different effects.`,
    "",
    ...results.flatMap(({ problems, cell, operation, effect, side, victim }) =>
      problems.map(
        (problem) =>
          `- ${cell.strategy} ${cell.store} ${operation}, ${victim} ${side} ${effect}: ${problem.slice(0, 300)}`,
      ),
    ),
  ].join("\n");
}
