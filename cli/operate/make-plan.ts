import { redact } from "../../core/redact";
import { Engine } from "./engine";
import { OperationError } from "./errors";
import { planInWords, type StackPlan } from "./plan-words";
import type { Project } from "./project";
import { environmentSecrets } from "./secrets";
import { readOutline } from "./settings";

/** What an update would do, in words for a reviewer. @throws ConfigError, OperationError */
export async function makePlan(project: Project): Promise<StackPlan> {
  const [outline, engine] = await Promise.all([readOutline(project), Engine.open(project)]);
  const preview = await engine.preview(undefined);
  if (!preview.ok) {
    const text = preview.errors.map((error) => error.text).join("\n");
    throw new OperationError(redact(text, environmentSecrets(project.env)));
  }
  return planInWords(project.stack, outline, preview);
}
