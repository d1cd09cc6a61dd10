import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { homeForPulumi } from "../rotation/home";
import type { Project } from "./project";

/** An operation that an update which died had begun. */
export interface PendingOperation {
  readonly type: string;
  readonly resource: { readonly urn: string };
}

/** The part of a checkpoint that this program reads. */
export interface Checkpoint {
  readonly resources?: readonly {
    readonly urn: string;
    readonly type: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
  }[];
  readonly pending_operations?: readonly PendingOperation[];
}

/** Who holds a stack's lock, as the lock says it. */
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

/** The stack's checkpoint, read from a `file://` backend; undefined where there is none to be read that way. */
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

/** A file of Pulumi's, compressed where its name says so. @throws SyntaxError, or zlib's error, where it is half written */
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

/** Whether the lock's holder is a process of this machine that is gone. */
export function isStale({ hostname: host, pid }: Pick<LockHolder, "hostname" | "pid">): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
