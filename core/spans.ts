/** A time from `start` up to, but not including, `end`, both in milliseconds since 1970. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The times that are in one of these, in order, each as long as it can be. */
export function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    if (end <= start) continue;
    const last = joined.at(-1);
    if (last === undefined || start > last.end) joined.push({ start, end });
    else if (end > last.end) joined[joined.length - 1] = { start: last.start, end };
  }
  return joined;
}

/** The times in `spans` that are in none of `holes`. */
export function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  const left: Span[] = [];
  const sorted = union(holes);
  for (const { start, end } of union(spans)) {
    let from = start;
    for (const hole of sorted) {
      if (hole.end <= from || hole.start >= end) continue;
      if (hole.start > from) left.push({ start: from, end: hole.start });
      from = hole.end;
    }
    if (from < end) left.push({ start: from, end });
  }
  return left;
}

export const includes = ({ start, end }: Span, time: number): boolean => start <= time && time < end;
