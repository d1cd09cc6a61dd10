import { readdirSync } from "node:fs";
import picomatch from "picomatch";
import { UsageError } from "./errors";
import { readProject } from "./project";

/**
 * The stacks of the project in `cwd` or above it that have a settings file and match a pattern, by name.
 * @param pattern such as `prod-*` or `{paper,prod}`
 * @throws UsageError if there is none
 */
export function stacksOf(cwd: string, pattern: string): string[] {
  const { settings } = readProject(cwd);
  const names = readdirSync(settings).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  const isWanted = picomatch(pattern);
  const found = names.filter((name) => isWanted(name)).toSorted();
  if (found.length > 0) return found;
  const there = names.length === 0 ? "none" : names.toSorted().join(", ");
  throw new UsageError(`--stacks: no stack matches ${pattern}; ${settings} has settings files of ${there}`);
}
