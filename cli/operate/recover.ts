import { podHasEnded } from "../../clients/kubernetes-job";
import { nameOf } from "../../core/resource-names";
import { pulumiCommand } from "./advice";
import type { Deployment, Engine } from "./engine";
import { OperationError } from "./errors";
import type { Project } from "./project";
import { isStale, type LockHolder, type PendingOperation, readCheckpoint, readLocks } from "./state-file";

const LOCK_LINE = /created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g;

/** The lock's holders in Pulumi's message on a locked stack; empty for any other text. */
export function locksIn(text: string): LockHolder[] {
  if (!text.includes("locked")) return [];
  return [...text.matchAll(LOCK_LINE)].map(([, username = "", hostname = "", pid = "", timestamp = ""]) => ({
    username,
    hostname,
    pid: Number(pid),
    timestamp,
  }));
}

const inWords = ({ username, hostname, pid, timestamp }: LockHolder) =>
  `${username}@${hostname} (pid ${pid}, since ${timestamp})`;

/**
 * Removes the locks of processes of this machine that have ended, and of pods whose Job is over.
 * @param isGone whether the lock's holder, on another machine, is a pod that has certainly ended
 * @returns what was done, in words; empty if nothing was locked
 * @throws OperationError if a process that may be alive holds one
 */
export async function clearLocks(
  engine: Pick<Engine, "cancel">,
  locks: readonly LockHolder[],
  project: Pick<Project, "dir" | "stack">,
  isGone: (host: string) => Promise<boolean> = podHasEnded,
): Promise<string[]> {
  const stale = await Promise.all(locks.map(async (lock) => isStale(lock) || (await isGone(lock.hostname))));
  const alive = locks.filter((_, index) => !stale[index]);
  if (alive.length > 0) {
    throw new OperationError(
      `the stack is being updated by ${alive.map(inWords).join(", ")}; wait until that ends. Only if its process is certainly dead: \`${pulumiCommand(project, "cancel --yes")}\``,
    );
  }
  if (locks.length === 0) return [];
  await engine.cancel();
  return locks.map((lock) => `cleared the lock that ${inWords(lock)} left behind; that process is gone`);
}

/** What an interrupted update had begun, according to the state. */
export function pendingOf(project: Project, deployment?: Deployment): readonly PendingOperation[] {
  return (deployment?.deployment ?? readCheckpoint(project))?.pending_operations ?? [];
}

/**
 * Removes what a killed update left: its lock and its pending operations. The next update repeats those.
 * @returns what was done, in words
 */
export async function recover(project: Project, engine: Engine): Promise<string[]> {
  const notes = await clearLocks(engine, readLocks(project), project);
  const pending = pendingOf(project);
  if (pending.length === 0) return notes;
  await engine.dropPendingOperations();
  const names = pending.map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`);
  return [...notes, `an update was interrupted while ${names.join(", ")}; this one repeats it`];
}
