import { utc } from "../../../core/clock";
import { nameOf } from "../../../core/resource-names";
import type { Finding } from "../../../kinds/kind-operations";
import { pulumiCommand } from "../advice";
import type { Project } from "../project";
import { clearLocks, pendingOf } from "../recover";
import type { Stack } from "../stack";
import { isStale, readLocks } from "../state-file";
import { finishedStates, mendTornFiles, tornFiles } from "../torn-files";

/** What an update that was killed, or met a full disk, in the middle of saving leaves of the state. */
export function tornFindings(project: Project): Finding[] {
  const fix = () => Promise.resolve(mendTornFiles(project).join("; ") || "it is gone already");
  return tornFiles(project).map(({ path, copy }): Finding => {
    if (copy === undefined) {
      return {
        secret: null,
        cause: "an update died while it saved: a file beside the state is half written, and Pulumi says `EOF`",
        evidence: `${path} is no JSON; it holds a check sum and nothing of the state`,
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
      evidence: `${path} is no JSON; ${copy}, the state before, is`,
      command: `cp ${copy} ${path}`,
      hint: "make room on its disk first; the next update does again what that state does not know of",
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
        cause: "an update is under way, or died on another machine",
        evidence: who,
        command: pulumiCommand(project, "cancel"),
        hint: "only if it is surely dead; else wait for it to end",
      };
    }
    return {
      secret: null,
      cause: "the stack is locked by an update that died",
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
      hint: "does it again",
      fix: async () => {
        await stack.engine.dropPendingOperations();
        return "the pending operations are out of the state; the next update does them again";
      },
    },
  ];
}
