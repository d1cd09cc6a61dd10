import { utc } from "../../../core/clock";
import { nameOf } from "../../../core/resource-names";
import type { Finding } from "../../../kinds/kind-operations";
import { pulumiCommand } from "../advice";
import type { Project } from "../project";
import { clearLocks, pendingOf } from "../recover";
import type { Stack } from "../stack";
import { isStale, readLocks } from "../state-file";
import { finishedStates, fixTornFiles, tornFiles } from "../torn-files";

/** What an update leaves of the state if it is killed, or the disk fills up, while it saves. */
export function tornFindings(project: Project): Finding[] {
  const fix = () => Promise.resolve(fixTornFiles(project).join("; ") || "it is already gone");
  return tornFiles(project).map(({ path, copy }): Finding => {
    if (copy === undefined) {
      return {
        secret: null,
        cause:
          "an update was interrupted while it saved: a file beside the state is half written, and Pulumi says `EOF`",
        evidence: `${path} is not JSON; it holds only a checksum, nothing of the state`,
        command: `rm ${path}`,
        fix,
      };
    }
    const about = { secret: null, cause: "the state is half written, as by an update on a full disk" };
    if (copy === null)
      return {
        ...about,
        evidence: `neither ${path} nor its copy .bak is JSON`,
        command: `ls -t ${finishedStates(path)}`,
        hint: "the newest is the last finished update's; or take your own backup",
      };
    return {
      ...about,
      evidence: `${path} is not JSON; its copy ${copy}, the previous state, is`,
      command: `cp ${copy} ${path}`,
      hint: "free disk space first; the next update repeats what the copy lacks",
      fix,
    };
  });
}

/** What a killed update leaves: its lock and its pending operations. */
export function stackFindings(stack: Stack): Finding[] {
  return [...lockFindings(stack), ...pendingFindings(stack)];
}

function lockFindings({ project, engine }: Stack): Finding[] {
  return readLocks(project).map((lock): Finding => {
    const who = `lock of ${lock.username}@${lock.hostname}, pid ${lock.pid}, since ${utc(lock.timestamp)}`;
    if (!isStale(lock)) {
      return {
        secret: null,
        cause: "an update is running, or was interrupted on another machine",
        evidence: who,
        command: pulumiCommand(project, "cancel"),
        hint: "only if its process is certainly dead; otherwise wait until it ends",
      };
    }
    return {
      secret: null,
      cause: "the stack is locked by an interrupted update",
      evidence: `${who}; that process is gone`,
      command: pulumiCommand(project, "cancel --yes"),
      fix: async () => (await clearLocks(engine, [lock], project)).join("; "),
    };
  });
}

function pendingFindings(stack: Stack): Finding[] {
  const pending = pendingOf(stack.project, stack.deployment);
  if (pending.length === 0) return [];
  return [
    {
      secret: null,
      cause: "an update was interrupted in the middle of an operation",
      evidence: pending.map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`).join(", "),
      command: stack.command("run"),
      hint: "repeats it",
      fix: async () => {
        await stack.engine.dropPendingOperations();
        return "removed the pending operations from the state; the next update repeats them";
      },
    },
  ];
}
