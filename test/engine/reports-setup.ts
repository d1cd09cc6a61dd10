import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { writeSection } from "../../dev/bench/proof";
import { faultSummary } from "./faults/report";
import { summary as leakSummary } from "./leaks/report";

declare module "vitest" {
  interface ProvidedContext {
    /** Where each lab adds what the search for credentials in it came to. */
    leakReport: string;
    /** Where each fault adds that it was survived. */
    faultReport: string;
  }
}

/** Gathers what the labs report, and says it at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "secret-rotation-report-"));
  const [leaks, faults] = [join(folder, "leaks.jsonl"), join(folder, "faults.jsonl")];
  project.provide("leakReport", leaks);
  project.provide("faultReport", faults);
  return async () => {
    await tell("faults", await faultSummary(faults));
    await tell("leaks", await leakSummary(leaks));
    await rm(folder, { recursive: true, force: true });
  };
}

/** One line at the end of the suite; into docs/proof.md as well if the run is one that proves something. */
async function tell(section: "faults" | "leaks", line: string | undefined): Promise<void> {
  if (line === undefined) return;
  console.log(line);
  if (process.env.PROOF !== undefined) await writeSection(section, line);
}
