/** What was done to a row: its contents, its absence, its presence, its place, or a second row in its place. */
export type ProblemKind = "changed" | "deleted" | "inserted" | "reordered" | "forked";

/** One finding, which names the row. For rows that are missing, `id` is the first of them. */
export interface ChainProblem {
  readonly id: number;
  readonly kind: ProblemKind;
  readonly message: string;
}

/** A row's place in the chain, as noted elsewhere. */
export interface ChainAnchor {
  readonly id: number;
  readonly hash: string;
}

/** What the log's own triggers note about its end. */
export interface ChainHead extends ChainAnchor {
  readonly rows: number;
}
