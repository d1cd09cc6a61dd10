import { parseTime } from "./time";

/** Letters, digits, dots, dashes, underscores and spaces, and a date at the end. */
const FORM = /^(?:[A-Za-z0-9][A-Za-z0-9 ._-]*[ ._-])?(\d{4}-\d{2}-\d{2})$/;

/** The day at the end of a key's label (`paper-trading-2026-11-23`), UTC; undefined if there is none. */
export function labelDate(label: string): Date | undefined {
  const day = FORM.exec(label)?.[1];
  if (day === undefined) return undefined;
  const date = parseTime(`${day}T00:00:00.000Z`);
  // JavaScript takes the 31st of February for a day in March.
  return date?.toISOString().startsWith(day) ? date : undefined;
}

/** How a key may be shown to people: its last four characters. */
export const lastFour = (keyId: string) => `…${keyId.slice(-4)}`;
