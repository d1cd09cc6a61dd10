import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { nameOf } from "../../core/resource-names";
import { withoutCommandLine } from "./cause";
import type { EngineResult, Happening, Step } from "./engine-result";

/** What the engine adds after a failure: that it failed, and what of the plan was not done. */
const NOISE =
  /^((update|preview) (failed|canceled)|expected resource operations for \S+ but none were seen|Detected that \S+ exited prematurely\.[\s\S]*)$/;

/** What remains to be removed after a replacement, also one of an earlier update. */
const TIDYING = new Set(["delete-replaced", "discard-replaced", "read-discard", "remove-pending-replace"]);

/** Folds the engine's events into a result. */
export class Recorder {
  private readonly steps = new Map<string, Step>();
  private readonly messages: string[] = [];
  private readonly errors: { text: string; resource: string | undefined }[] = [];
  private readonly open = new Map<string, Step>();
  private failedStep: Step | undefined;
  private ended = false;
  /** Whether the engine received a signal: it says so in an event that it uses for nothing else. */
  isStopping = false;

  constructor(private readonly happens: (happening: Happening) => void) {}

  take(event: EngineEvent): void {
    const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent, stdoutEvent } = event;
    if (resourcePreEvent) this.begin(stepOf(resourcePreEvent.metadata));
    if (resOutputsEvent) {
      this.open.delete(resOutputsEvent.metadata.urn);
      this.happens({ kind: "done", step: stepOf(resOutputsEvent.metadata) });
    }
    if (resOpFailedEvent) {
      this.failedStep = stepOf(resOpFailedEvent.metadata);
      this.happens({ kind: "failed", step: this.failedStep });
    }
    if (diagnosticEvent) this.diagnose(diagnosticEvent);
    if (stdoutEvent) this.isStopping = true;
    if (event.summaryEvent || event.cancelEvent) this.ended = true;
  }

  private begin(step: Step): void {
    if (TIDYING.has(step.op)) return;
    // A replacement or an adoption comes as several steps: the first says what it is.
    const before = this.steps.get(step.urn);
    if (before === undefined || !/replace|import/.test(before.op)) this.steps.set(step.urn, step);
    if (step.op !== "same") this.open.set(step.urn, step);
    this.happens({ kind: "begins", step });
  }

  private diagnose({ severity, message, urn }: NonNullable<EngineEvent["diagnosticEvent"]>): void {
    const text = withoutCommandLine(withoutPlanned(message.trim()));
    if ((severity === "info" || severity === "warning") && text !== "") {
      this.messages.push(text);
      this.happens({ kind: "message", text });
    }
    if (severity === "error" && !NOISE.test(text)) {
      this.errors.push({ text, resource: urn === undefined || urn === "" ? undefined : nameOf(urn) });
    }
  }

  result(failure: string | undefined, signal: AbortSignal | undefined): EngineResult {
    const { messages, failedStep } = this;
    const ok = failure === undefined;
    const interrupted = !ok && (this.isStopping || signal?.aborted === true);
    const words = ok || this.errors.length > 0 ? "" : commandWords(failure);
    const died = !ok && !this.ended;
    const text = words === "" && died && this.errors.length === 0 ? DIED : words;
    return {
      ok,
      steps: [...this.steps.values()],
      messages,
      plans: [],
      probes: {},
      failedStep,
      interrupted,
      died,
      errors: text === "" || interrupted ? this.errors : [{ text, resource: undefined }],
      unfinished: [...this.open.values()],
    };
  }
}

const DIED = "the Pulumi engine was killed, or crashed, in the middle of the update";

function stepOf({ op, urn, type, old, new: after }: StepEventMetadata): Step {
  return {
    op,
    urn,
    type,
    name: nameOf(urn),
    oldInputs: old?.inputs ?? {},
    newInputs: after?.inputs ?? {},
    ...(op === "delete" && old?.retainOnDelete ? { retained: true } : {}),
  };
}

/**
 * If an update differs from its plan, the engine prints the changed properties as they are, secrets included: this keeps
 * their names alone. What the plan guard found (`components/plan-guard.ts`) is put into words.
 */
export function withoutPlanned(text: string): string {
  const [, parts] = /violates plan: ignoreChanges changed: added (.*); deleted/.exec(text) ?? [];
  if (parts !== undefined) {
    const names = parts.split(", ").map((part) => part.replace(/-[0-9a-f]+$/, "").replace("-", " "));
    return `${names.join(" and ")} changed between the preview and the update: run it again`;
  }
  return text.replace(/(violates plan: properties changed: )([\s\S]*)/, (_, says: string, changes: string) => {
    const names = [...changes.matchAll(/(?:^|, )(?:~~|\+\+|--)(\w+)/g)].map(([, name]) => name);
    return `${says}${[...new Set(names)].join(", ")}`;
  });
}

/** What the CLI printed on stderr, from the Automation API's message, which has the whole command line too; may be empty. */
function commandWords(message: string): string {
  const [, stderr] = /stderr: ([\s\S]*?)(?:\n\s*err\?: [\s\S]*)?$/.exec(message) ?? [];
  return withoutPlanned((stderr ?? message).trim().replace(/^error: /, ""));
}
