import type { Request } from "../../core/request";
import { pulumiCommand } from "./advice";
import type { Engine } from "./engine";
import { OperationError } from "./errors";
import type { Project } from "./project";
import type { RunListener } from "./run-result";

/**
 * Removes a handled request from the stack's file. An image or a read-only checkout keeps it, which is noted: it acts only
 * once.
 */
export async function removeHandled(
  { id }: Pick<Request, "id">,
  project: Pick<Project, "dir" | "stack">,
  engine: Pick<Engine, "configure">,
  listener: Pick<RunListener, "note">,
): Promise<void> {
  try {
    await engine.configure("request", undefined);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const remove = pulumiCommand(project, "config rm request");
    listener.note(
      `the request ${id} is done and will not act again, but it is still in the config (${error.message}): remove it where ` +
        `the stack's file can be written, with \`${remove}\``,
    );
  }
}
