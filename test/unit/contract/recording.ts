import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OfflinePackage } from "../../../dev/toolchain/plugins/packages";
import type { Json, Properties } from "../../../dev/toolchain/plugins/values";

/** One question of the engine and the real plugin's answer. */
export interface Exchange {
  /** Line in the file, from 0. */
  index: number;
  step: string;
  method: string;
  request: Properties;
  response?: Properties;
  errors?: string[];
}

/** A throwaway value in the recordings and what stands in its place here, as it is written inside JSON text. */
export type Rewrite = [recorded: string, live: string];

/** The text of a package's recording. */
function lines(name: OfflinePackage): string[] {
  const file = join(__dirname, "..", "..", "recordings", `${name}.jsonl`);
  return readFileSync(file, "utf8").split("\n").filter(Boolean);
}

/** How many exchanges a package's recording holds. */
export function countRecorded(name: OfflinePackage): number {
  return lines(name).length;
}

/** The exchanges, without their text: to name the tests before the servers run. */
export function recordedTitles(name: OfflinePackage): [title: string, index: number][] {
  return recorded(name, []).map(({ index, step, method, request }) => {
    const about = String(request.name ?? request.tok ?? String(request.urn).split("::").pop());
    return [`${index} ${step}: ${method} ${about}`, index];
  });
}

/** The exchanges with every recorded address, port, key and password replaced by the live server's. */
export function recorded(name: OfflinePackage, rewrites: Rewrite[]): Exchange[] {
  return lines(name).map((line, index) => {
    const text = rewrites.reduce((result, [from, to]) => result.replaceAll(from, to), line);
    return { index, ...(JSON.parse(text) as Record<string, Json>) } as unknown as Exchange;
  });
}
