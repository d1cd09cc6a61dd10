import type { Plan } from "../../core/plan";

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
  /** Set where the stack forgets it and leaves what it stands for as it is (`retainOnDelete`). */
  readonly retained?: true;
}

/** What happens while the engine works. */
export type Happening =
  | { readonly kind: "begins" | "done" | "failed"; readonly step: Step }
  /** What the program itself says. */
  | { readonly kind: "message"; readonly text: string };

/** What became of a preview or an update. */
export interface EngineResult {
  readonly ok: boolean;
  /** In the order in which the engine took them; each resource once, `same` among them. */
  readonly steps: readonly Step[];
  /** What the program itself said. */
  readonly messages: readonly string[];
  /** What the program decided on each secret; empty for an update. */
  readonly plans: readonly Plan[];
  /** What went wrong, the first first; empty where it is `ok`. Never a secret: the engine redacts those it knows. */
  readonly errors: readonly { readonly text: string; readonly resource: string | undefined }[];
  /** The last resource that failed. */
  readonly failedStep: Step | undefined;
  /** What was begun and neither done nor refused when the engine ended. */
  readonly unfinished: readonly Step[];
  /** Whether a signal stopped it. */
  readonly interrupted: boolean;
  /** Whether the engine ended without a word of its end, killed perhaps: what it had started may have outlived it. */
  readonly died: boolean;
}
