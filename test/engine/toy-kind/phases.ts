import type { PhaseTable } from "../../../core/phases";

/** What the rotation of a token consists of, beside what all rotations have. */
export const toyPhases = {
  components: {
    "secret-rotation:index:Toy": {
      phase: null,
      words: ({ op }, { secret }) => (op === "create" ? `begins anew with ${secret}` : undefined),
    },
  },
} as const satisfies PhaseTable;
