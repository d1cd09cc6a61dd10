import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { homeForPulumi } from "../../clients/home";
import type { Project } from "./project";

/** An operation that an interrupted update had begun. */
export interface PendingOperation {
  readonly type: string;
  readonly resource: { readonly urn: string };
}

/** A resource of a stack's state; its secrets are encrypted. */
export interface StoredResource {
  readonly urn: string;
  readonly type: string;
  /** Whether a plugin made it; components are not. */
  readonly custom?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** When the engine last changed it, ISO 8601. */
  readonly modified?: string;
}

/** The part of a checkpoint that this program reads. */
export interface Checkpoint {
  readonly resources?: readonly StoredResource[];
  readonly pending_operations?: readonly PendingOperation[];
}

/** The holder of a stack's lock, as the lock names it. */
export interface LockHolder {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** The folder of a `file://` backend; undefined for any other. */
export function stateFolder({ backend, env }: Project): string | undefined {
  if (!backend?.startsWith("file://")) return undefined;
  const path = backend.slice("file://".length);
  if (path === "~" || path.startsWith("~/")) return join(homeForPulumi(env) ?? "", path.slice(1));
  return path.startsWith("/") ? fileURLToPath(backend) : undefined;
}

/** The stack's checkpoint in a `file://` backend; undefined if it cannot be read there. */
export function readCheckpoint(project: Project): Checkpoint | undefined {
  const folder = stateFolder(project);
  if (folder === undefined) return undefined;
  const file = join(folder, ".pulumi", "stacks", project.name, `${project.stack}.json`);
  try {
    const { checkpoint } = readStateFile(existsSync(file) ? file : `${file}.gz`) as {
      checkpoint: { latest?: Checkpoint | null };
    };
    return checkpoint.latest ?? {};
  } catch {
    return undefined;
  }
}

/** A file of Pulumi's, compressed if its name says so. @throws SyntaxError, or zlib's error, if it is half written */
export function readStateFile(path: string): unknown {
  const bytes = readFileSync(path);
  return JSON.parse((/\.gz(\.bak)?$/.test(path) ? gunzipSync(bytes) : bytes).toString("utf8"));
}

/** The locks on the stack in a `file://` backend. */
export function readLocks(project: Project): LockHolder[] {
  const folder = stateFolder(project);
  if (folder === undefined) return [];
  const locks = join(folder, ".pulumi", "locks", "organization", project.name, project.stack);
  try {
    return readdirSync(locks)
      .filter((file) => file.endsWith(".json"))
      .map((file) => JSON.parse(readFileSync(join(locks, file), "utf8")) as LockHolder);
  } catch {
    return [];
  }
}

/**
 * Whether the lock's holder is a process of this machine that has ended. That includes a zombie (in a container whose first
 * process does not reap it), and a process whose number has been reused since the lock was taken.
 */
export function isStale({ hostname: host, pid, timestamp }: Omit<LockHolder, "username">): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  const now = processOf(pid);
  if (now === undefined) return false;
  return now.hasEnded || now.startedAt > Date.parse(timestamp) + CLOCKS_DIFFER_MS;
}

/** `btime` of /proc/stat is in whole seconds, and may be corrected while the machine runs. */
const CLOCKS_DIFFER_MS = 5000;
/** The unit of times in /proc: a hundredth of a second on every Linux that Node.js runs on (`getconf CLK_TCK`). */
const TICK_MS = 10;

/** What Linux says of a process (proc(5)); undefined elsewhere, as on macOS. */
function processOf(pid: number): { readonly hasEnded: boolean; readonly startedAt: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in brackets, and may hold brackets and spaces itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
    return { hasEnded: fields[0] === "Z" || fields[0] === "X", startedAt: boot * 1000 + Number(fields[19]) * TICK_MS };
  } catch {
    return undefined;
  }
}
