/** A day in milliseconds. */
export const DAY = 86_400_000;

/** The time that a text names; undefined if it names none. */
export function parseTime(text: string | undefined): Date | undefined {
  const time = new Date(text ?? "");
  return Number.isNaN(time.getTime()) ? undefined : time;
}
