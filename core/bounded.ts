/**
 * The most bytes of an answer: the command plugin gives it to the step's next run as one variable of the environment, of which
 * Linux takes 128 KiB (MAX_ARG_STRLEN).
 */
const MOST = 96 * 1024;

/** Of a list that is cut. */
const KEPT = 50;

/** Lists of an answer that only people read. */
const FOR_PEOPLE = ["rehearsal", "checks", "warnings", "overrides"] as const;

/** An answer that is short enough: if it is not, its long lists keep their beginning, and say how much was left out. */
export function bounded(answer: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (Buffer.byteLength(JSON.stringify(answer)) <= MOST) return answer;
  const lists = FOR_PEOPLE.flatMap((key) => {
    const list = answer[key];
    return Array.isArray(list) && list.length > KEPT ? [[key, shortened(list)] as const] : [];
  });
  return { ...answer, ...Object.fromEntries(lists) };
}

function shortened(list: readonly unknown[]): unknown[] {
  const rest = list.length - KEPT;
  const kept = list.slice(0, KEPT);
  return list.every((item) => typeof item === "string") ? [...kept, `and ${rest} more`] : kept;
}
