import { OperationError } from "./errors";
import type { Project } from "./project";

/** Finishes an interrupted update, as `rotation run --yes` does. @returns what was done, in words */
export async function finish(project: Project): Promise<string> {
  const { Run } = await import("./run");
  const notes: string[] = [];
  const run = await Run.open(project, {
    step: () => undefined,
    note: (text) => void notes.push(text),
    preflight: () => undefined,
    plan: () => undefined,
    happening: () => undefined,
    confirm: () => Promise.resolve(true),
  });
  const result = await run.carryOut();
  switch (result.outcome) {
    case "done":
      return [
        ...notes,
        ...result.secrets.map(({ secret, action, to }) => `${secret}: ${action}, generation ${to}`),
      ].join("; ");
    case "nothing to do":
      return "nothing was left to do";
    case "incomplete":
      throw new OperationError(
        result.secrets.map(({ secret, missing }) => `${secret}: ${missing.join("; ")}`).join("; "),
      );
    case "refused by the preflight": {
      const failed = result.preflight.flatMap(({ checks }) => checks.filter(({ ok }) => !ok));
      throw new OperationError(`the preflight failed: ${failed.map(({ evidence }) => evidence).join("; ")}`);
    }
    default:
      throw new OperationError("failure" in result ? `${result.failure.reason}. ${result.situation}` : result.outcome);
  }
}
