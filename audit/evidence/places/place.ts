/** A place outside of the database that keeps anchors of one stack. */
export interface AnchorPlace {
  /** Every anchor that it has, each a line of JSON, in the order in which they were kept. */
  list(): Promise<readonly string[]>;
  /** Keeps one more. Never replaces one that is there. */
  keep(sequence: number, line: string): Promise<void>;
}
