import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperationError } from "./errors";
import type { Project } from "./project";
import { isStale, readLocks, readStateFile, stateFolder } from "./state-file";

/** A file of a `file://` backend that an update left half written, so that Pulumi cannot read the state. */
export interface TornFile {
  readonly path: string;
  /**
   * Where it is the state itself, its whole copy; null where that is torn too. Undefined for the small `.attrs` file
   * beside it, which is only removed.
   */
  readonly copy: string | null | undefined;
}

/**
 * What Pulumi left half written in a `file://` backend. Killed, it is the small `.attrs` file beside the state (content
 * type, check sum), which it writes in place: it says `failed to load checkpoint: EOF` from then on, and nothing of the
 * state is in it. On a full disk it is the state itself: Pulumi renames what it could write over it, and keeps the one
 * before as `.bak`.
 *
 * @returns empty while somebody who may be alive holds the stack's lock and could be writing one
 */
export function tornFiles(project: Project): TornFile[] {
  const folder = stateFolder(project);
  if (folder === undefined || readLocks(project).some((lock) => !isStale(lock))) return [];
  const stacks = join(folder, ".pulumi", "stacks", project.name);
  const isState = (file: string) => file === `${project.stack}.json` || file === `${project.stack}.json.gz`;
  const isBeside = (file: string) => file.startsWith(`${project.stack}.json`) && file.endsWith(".attrs");
  return filesIn(stacks)
    .filter((file) => (isState(file) || isBeside(file)) && isTorn(join(stacks, file)))
    .map((file) => {
      const path = join(stacks, file);
      return { path, copy: isState(file) ? copyOf(path) : undefined };
    });
}

/** @throws OperationError where a torn file keeps Pulumi from reading the state */
export function assertWhole(project: Project): void {
  const torn = tornFiles(project);
  if (torn.length === 0) return;
  const fix = `rotation diagnose --fix --stack ${project.stack}`;
  const lost = torn.find(({ copy }) => copy !== undefined);
  if (lost === undefined) {
    throw new OperationError(
      `an update that died left ${torn.map(({ path }) => path).join(" and ")} half written, and Pulumi cannot read the ` +
        `state beside it. The state itself is whole: \`${fix}\` removes what is torn.`,
    );
  }
  throw new OperationError(
    lost.copy === null
      ? whyNoCopy(lost.path)
      : `the state ${lost.path} is half written, as by an update on a full disk; the one before is whole, beside it: make ` +
          `room, then \`${fix}\` puts it back, and the next update does again what it does not know of.`,
  );
}

/**
 * Removes what is torn, and puts the state's copy in its place; the torn one stays as `.torn`.
 *
 * @returns what was done, in words
 * @throws OperationError where there is no whole copy
 */
export function mendTornFiles(project: Project): string[] {
  return tornFiles(project).map(({ path, copy }) => {
    if (copy === undefined) {
      rmSync(path, { force: true });
      return `removed ${path}, which an update that died left half written; the state itself is whole`;
    }
    if (copy === null) throw new OperationError(whyNoCopy(path));
    const whole = `${path}.whole`;
    copyFileSync(copy, whole);
    renameSync(path, `${path}.torn`);
    renameSync(whole, path);
    // Its check sum is the torn one's; Pulumi writes it again.
    rmSync(`${path}.attrs`, { force: true });
    return `put back ${path} from its copy ${copy}, for an update left it half written (it is ${path}.torn now); what that update did last is done again`;
  });
}

const whyNoCopy = (path: string) =>
  `the state ${path} is half written, and so is its copy (.bak). Put it back from your own backup, or from the last ` +
  `finished update's: the newest of ${finishedStates(path)}`;

/** The states of finished updates, which Pulumi keeps, as a shell's pattern. */
export function finishedStates(path: string): string {
  const project = dirname(path);
  const [stack] = basename(path).split(".json");
  return join(dirname(dirname(project)), "history", basename(project), stack ?? "", "*.checkpoint.json*");
}

const copyOf = (path: string) => {
  const copy = `${path}.bak`;
  return existsSync(copy) && !isTorn(copy) ? copy : null;
};

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isTorn(path: string): boolean {
  try {
    readStateFile(path);
    return false;
  } catch (error) {
    // What cannot be opened is another matter.
    return error instanceof SyntaxError || (error as NodeJS.ErrnoException).code?.startsWith("Z_") === true;
  }
}
