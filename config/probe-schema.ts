import * as z from "zod";
import { settings } from "../core/schema-parts";

const RATE = "expected logins a second or a minute from 1/min to 20/s, such as 5/s";

const perSecond = z.string(RATE).transform((text, context) => {
  const [, number, unit] = /^(\d{1,4})\/(s|min)$/.exec(text) ?? [];
  const rate = Number(number) / (unit === "s" ? 1 : 60);
  if (rate >= 1 / 60 && rate <= 20) return rate;
  context.addIssue({ code: "custom", message: `${RATE}, found ${JSON.stringify(text)}` });
  return z.NEVER;
});

const count = (most: number) => z.number().int().min(0).max(most);

/** Logins and health requests while an update runs. */
export const probe = settings({
  /** Logins a second for each secret, over all its ways together: from `1/min` to `20/s`. Default 5/s. Alpaca: at most 1 in 2 s. */
  rate: perSecond.default(5),
  /** Failed logins of a secret; one more stops a rotation. A rollback and an emergency are not stopped. Default 5. */
  threshold: count(100_000).default(5),
  /** The most logins for a secret in one update; after that nothing is tried. Default 20000. */
  limit: count(200_000).min(1).default(20_000),
});

export type ProbeConfig = z.output<typeof probe>;
