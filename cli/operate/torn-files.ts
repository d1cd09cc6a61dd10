import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperationError } from "./errors";
import type { Project } from "./project";
import { isStale, readLocks, readStateFile, stateFolder } from "./state-file";

/** A file of a `file://` backend that an update left half written, so that Pulumi cannot read the state. */
export interface TornFile {
  readonly path: string;
  /**
   * For the state itself, its whole copy; null if that is torn too. Undefined for the small `.attrs` file beside it, which
   * is only removed.
   */
  readonly copy: string | null | undefined;
}

/**
 * What Pulumi left half written in a `file://` backend. If Pulumi was killed, that is the small `.attrs` file beside the
 * state (content type, checksum), which it writes in place: from then on it says `failed to load checkpoint: EOF`, although
 * the file holds nothing of the state. On a full disk it is the state itself: Pulumi renames what it could write over it,
 * and keeps the previous one as `.bak`.
 *
 * @returns empty while a process that may be alive holds the stack's lock: it could be writing
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

/** @throws OperationError if a torn file keeps Pulumi from reading the state */
export function assertWhole(project: Project): void {
  const torn = tornFiles(project);
  if (torn.length === 0) return;
  const fix = `rotation diagnose --fix --stack ${project.stack}`;
  const lost = torn.find(({ copy }) => copy !== undefined);
  if (lost === undefined) {
    throw new OperationError(
      `an interrupted update left ${torn.map(({ path }) => path).join(" and ")} half written, and Pulumi cannot read the ` +
        `state beside it. The state itself is whole. Run \`${fix}\`: it removes what is half written.`,
    );
  }
  throw new OperationError(
    lost.copy === null
      ? whyNoCopy(lost.path)
      : `the state ${lost.path} is half written, as by an update on a full disk; the previous state beside it is whole. Free ` +
          `disk space, then run \`${fix}\`: it restores that state, and the next update repeats what it lacks.`,
  );
}

/**
 * Removes what is torn, and restores the state from its copy; the torn one stays as `.torn`.
 *
 * @returns what was done, in words
 * @throws OperationError if there is no whole copy
 */
export function fixTornFiles(project: Project): string[] {
  return tornFiles(project).map(({ path, copy }) => {
    if (copy === undefined) {
      rmSync(path, { force: true });
      return `removed ${path}, which an interrupted update left half written; the state itself is whole`;
    }
    if (copy === null) throw new OperationError(whyNoCopy(path));
    const whole = `${path}.whole`;
    copyFileSync(copy, whole);
    renameSync(path, `${path}.torn`);
    renameSync(whole, path);
    // It has the torn file's checksum; Pulumi writes it again.
    rmSync(`${path}.attrs`, { force: true });
    return `restored ${path} from its copy ${copy}: an update had left it half written (it is now ${path}.torn); what that update did last is repeated by the next one`;
  });
}

const whyNoCopy = (path: string) =>
  `the state ${path} is half written, and so is its copy (.bak). Restore it from your own backup, or from the last ` +
  `finished update: the newest of ${finishedStates(path)}`;

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
    // A file that cannot be opened is not torn.
    return error instanceof SyntaxError || (error as NodeJS.ErrnoException).code?.startsWith("Z_") === true;
  }
}
