import type { Proof } from "./proof";

/** Every proof that `npm run prove -- NAME` knows: a line each. */
export const PROOFS: Readonly<Record<string, () => Promise<{ readonly prove: Proof }>>> = {
  disuse: () => import("./disuse"),
  evidence: () => import("./evidence"),
  leaked: () => import("./leaked"),
  probes: () => import("./probes"),
  rehearsal: () => import("./rehearsal"),
  stacks: () => import("./stacks"),
};
