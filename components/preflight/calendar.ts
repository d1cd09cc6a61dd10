import * as z from "zod";
import { utc } from "../../core/clock";
import { StepError } from "../../core/errors";
import { type Allowed, allowed, inWords } from "./market";

/** What the config's own hours of a market said when this was decided. */
export const exchangeHours = z.object({
  name: z.string(),
  isOpen: z.boolean(),
  /** When that changes; null if it does not within weeks. */
  until: z.string().nullable(),
  /** The lab's clock. */
  now: z.string().nullable(),
});

type ExchangeHours = z.output<typeof exchangeHours>;

/** Checks that the window is still open for as long as a rotation may take. */
export function checkWindow(
  { until, now }: { readonly until: string; readonly now: string | null },
  takes: number,
  clock: Date,
): string {
  const left = Date.parse(until) - Date.parse(now ?? clock.toISOString());
  if (left >= takes) return `open until ${utc(until)}`;
  const found = left <= 0 ? `closed at ${utc(until)}` : `closes in ${inWords(left)}`;
  const takesLong = left <= 0 ? "" : `, and a rotation may take ${inWords(takes)}`;
  throw new StepError(
    `the window ${found}${takesLong}; run this again in the next one (\`rotation status\` says when), or name the secret in \`rotation run\`, which waits for no window`,
  );
}

/** Checks that the market is closed by the config's hours, and stays so during the rotation. */
export function checkExchange(
  { name, isOpen, until, now }: ExchangeHours,
  allowOpen: boolean,
  takes: number,
  clock: Date,
): string | Allowed {
  const left = until === null ? Number.POSITIVE_INFINITY : Date.parse(until) - Date.parse(now ?? clock.toISOString());
  const changes = until === null ? "" : ` until ${utc(until)}`;
  if (!isOpen && left > takes) return `closed${changes}`;
  const soon = left <= 0 ? `open since ${utc(until ?? "")}` : `closed, and opens in ${inWords(left)}`;
  const found = isOpen ? `open${changes}` : soon;
  if (allowOpen) return allowed(`${name} was ${found}`);
  throw new StepError(
    `${name} is ${found}, and a rotation may take ${inWords(takes)}; wait until it is closed, or set preflight.allowOpenMarket: true (written into the audit log)`,
  );
}
