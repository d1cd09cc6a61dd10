import { readFile } from "node:fs/promises";
import type { Lab } from "./lab";

/** When the role was changed (epoch milliseconds), by the server's own log, from `since` on. */
export async function roleChanges(lab: Pick<Lab, "postgres">, role: string, since: number): Promise<number[]> {
  const log = await readFile(lab.postgres.logFile, "utf8");
  return log
    .split("\n")
    .filter((line) => line.includes("ALTER ROLE") && line.includes(role))
    .map((line) => Date.parse(line.slice(0, 27)))
    .filter((time) => time >= since);
}
