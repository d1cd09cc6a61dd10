import { appendFile, readFile } from "node:fs/promises";
import type { HuntResult } from "./hunt";

/** Adds the result of one lab to the suite's. */
export const report = (file: string, result: HuntResult) => appendFile(file, `${JSON.stringify(result)}\n`);

/** All labs of a suite together, in one line; undefined where there was none. */
export async function summary(file: string): Promise<string | undefined> {
  const lines = (await readFile(file, "utf8").catch(() => "")).trim().split("\n");
  const results = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as HuntResult);
  if (results.length === 0) return undefined;
  const sum = (count: (result: HuntResult) => number) =>
    results.reduce((total, result) => total + count(result), 0).toLocaleString("en");
  return (
    `leak hunt: ${results.length} labs, ${sum(({ secrets }) => secrets)} credentials searched for in ` +
    `${sum(({ files }) => files)} files (${sum(({ bytes }) => Math.round(bytes / 1e6))} MB), ` +
    `${sum(({ processes }) => processes)} command lines, messages and rows: ${sum(({ found }) => found.length)} found`
  );
}
