import type { LeakTried } from "../../../kinds/kind-operations";
import type { Stack } from "../stack";

/** A credential of this stack that was found. */
export interface Leak extends LeakTried {
  readonly secret: string;
  /** Null for a login of which only its name tells whose it is, and that has ended. */
  readonly generation: number | null;
  readonly part: string;
  readonly username: string | null;
  readonly where: readonly string[];
  /** What the stack knows the generation as. */
  readonly standing: "in use" | "previous" | "ended";
}

/** A leak that can be tried again; it holds the value, and shows none of it. */
export interface FoundLeak {
  readonly leak: Leak;
  readonly again: (stack: Stack) => Promise<LeakTried>;
}
