import { appendFile, readFile } from "node:fs/promises";
import { codeOf } from "../../../core/errors";
import { readAnchor } from "../anchor";
import type { AnchorPlace } from "./place";

/** A file with a line for each anchor. Several stacks may share it. */
export function filePlace(path: string, stack: string): AnchorPlace {
  return {
    async list() {
      const text = await readFile(path, "utf8").catch((error: unknown) => {
        if (codeOf(error) === "ENOENT") return "";
        throw error;
      });
      return text.split("\n").filter((line) => line.trim() !== "" && belongs(line, stack));
    },
    keep: (_, line) => appendFile(path, `${line}\n`, { flush: true }),
  };
}

/** A line that is no anchor may have been one of any stack. */
function belongs(line: string, stack: string): boolean {
  try {
    return readAnchor(line).anchor.stack === stack;
  } catch {
    return true;
  }
}
