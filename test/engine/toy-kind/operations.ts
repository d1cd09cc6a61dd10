import { other } from "../../../core/state";
import type { KindOperations } from "../../../kinds/kind-operations";
import { toyPhases } from "./phases";
import type { ToyConfig } from "./schema";
import { tokenOf } from "./token";

/** What the CLI asks of a toy. */
export const operations = {
  phases: [toyPhases],
  supply: undefined,
  adoption: "a toy begins anew",
  otherwise: "definition changed",
  noWayBack: () => undefined,
  status: () => ({}),
  kept: async () => undefined,
  known: (stack, secret, states) =>
    states.flatMap((state) =>
      [state.active, other(state.active)].flatMap((slot) => tokenOf(stack, secret, state, slot) ?? []),
    ),
  inUse: (stack, secret, { finished }) => finished && tokenOf(stack, secret, finished, finished.active),
  diagnose: async (...asked) => (await import("./diagnose")).tokenFindings(...asked),
  validate: async (...asked) => (await import("./validate")).tokenChecks(...asked),
} as const satisfies KindOperations<ToyConfig>;
