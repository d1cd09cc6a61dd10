import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { OperationError } from "./errors";
import type { Project } from "./project";
import { isStale, readLocks, stateFolder } from "./state-file";

/**
 * Files that a killed Pulumi left half written beside the state of a `file://` backend. Pulumi writes a checkpoint under
 * another name and renames it, but the small `.attrs` file beside it (content type, check sum) in place; killed between
 * the two, it says `failed to load checkpoint: EOF` from then on. Nothing of the state is in them.
 *
 * @returns their paths; empty while somebody who may be alive holds the stack's lock and could be writing one
 */
export function tornFiles(project: Project): string[] {
  const folder = stateFolder(project);
  if (folder === undefined || readLocks(project).some((lock) => !isStale(lock))) return [];
  const stacks = join(folder, ".pulumi", "stacks", project.name);
  return filesIn(stacks)
    .filter((file) => file.startsWith(`${project.stack}.json`) && file.endsWith(".attrs"))
    .map((file) => join(stacks, file))
    .filter(isTorn);
}

/** @throws OperationError where a torn file keeps Pulumi from reading the state */
export function assertWhole(project: Project): void {
  const torn = tornFiles(project);
  if (torn.length === 0) return;
  throw new OperationError(
    `an update that died left ${torn.join(" and ")} half written, and Pulumi cannot read the state beside it. ` +
      `The state itself is whole: \`rotation diagnose --fix --stack ${project.stack}\` removes what is torn.`,
  );
}

/** Removes what is torn; Pulumi writes it again with the next update. @returns what was done, in words */
export function removeTornFiles(project: Project): string[] {
  return tornFiles(project).map((file) => {
    rmSync(file, { force: true });
    return `removed ${file}, which an update that died left half written; the state itself is whole`;
  });
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isTorn(file: string): boolean {
  try {
    JSON.parse(readFileSync(file, "utf8"));
    return false;
  } catch (error) {
    return error instanceof SyntaxError;
  }
}
