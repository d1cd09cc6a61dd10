import type { Plan } from "../../core/plan";
import type { ProbeFigures } from "../../core/probes";

/** What the engine does, or would do, to one resource. */
export interface Step {
  /** Such as `create`, `update`, `replace` or `same`. */
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  /** The resource's name, the last part of its URN. */
  readonly name: string;
  readonly oldInputs: Readonly<Record<string, unknown>>;
  readonly newInputs: Readonly<Record<string, unknown>>;
  /** Set if the stack forgets it and leaves the real thing as it is (`retainOnDelete`). */
  readonly retained?: true;
}

/** What the engine does. */
export type Happening =
  | { readonly kind: "begins" | "done" | "failed"; readonly step: Step }
  /** What probes of a secret have seen until now. */
  | { readonly kind: "probe"; readonly secret: string; readonly figures: ProbeFigures }
  /** What the program itself says. */
  | { readonly kind: "message"; readonly text: string };

/** The result of a preview or an update. */
export interface EngineResult {
  readonly ok: boolean;
  /** In the engine's order; each resource once, also with `same`. */
  readonly steps: readonly Step[];
  /** What the program itself said. */
  readonly messages: readonly string[];
  /** What the program decided on each secret; empty for an update. */
  readonly plans: readonly Plan[];
  /** What probes saw in the end, by secret; empty if there were none. */
  readonly probes: Readonly<Record<string, ProbeFigures>>;
  /** What went wrong, in order; empty if `ok`. Never a secret: the engine redacts those it knows. */
  readonly errors: readonly { readonly text: string; readonly resource: string | undefined }[];
  /** The last resource that failed. */
  readonly failedStep: Step | undefined;
  /** What was begun and had neither succeeded nor failed when the engine ended. */
  readonly unfinished: readonly Step[];
  /** Whether a signal stopped it. */
  readonly interrupted: boolean;
  /** Whether the engine ended without a final event, perhaps killed: processes that it started may still run. */
  readonly died: boolean;
}
