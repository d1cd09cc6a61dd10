/** The median. @throws RangeError for no value */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new RangeError("expected at least one value, found none");
  return (low + high) / 2;
}

/** The exponent with which `y` grows with `x`: the slope of the straight line through the logarithms (least squares). */
export function growthExponent(points: readonly { readonly x: number; readonly y: number }[]): number {
  if (points.length < 2) throw new RangeError(`expected at least two points, found ${points.length}`);
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const mean = (of: "x" | "y") => logs.reduce((sum, point) => sum + point[of], 0) / logs.length;
  const [mx, my] = [mean("x"), mean("y")];
  const covariance = logs.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0);
  return covariance / logs.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
}

/** A measured figure and its target. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** The target; undefined if there is none. */
  readonly target?: string;
  readonly met?: boolean;
}

/** One benchmark's outcome. */
export interface Outcome {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** How it was measured, a sentence each. */
  readonly notes: readonly string[];
}

/** An outcome as Markdown. */
export function markdown({ title, figures, notes }: Outcome): string {
  const rows = figures.map(({ what, measured, target, met }) => {
    const verdict = met === undefined ? "" : met ? "met" : "**missed**";
    return `| ${what} | ${measured} | ${target ?? ""} | ${verdict} |`;
  });
  return [`### ${title}`, "", "| | measured | target | |", "|---|---|---|---|", ...rows, "", notes.join(" ")].join(
    "\n",
  );
}

export const seconds = (value: number): string => `${value.toFixed(2)} s`;

/** A ratio that must not be above `most`. */
export function atMost(what: string, ratio: number, most: number, of: string): Figure {
  return { what, measured: `${ratio.toFixed(2)} (${of})`, target: `<= ${most}`, met: ratio <= most };
}
