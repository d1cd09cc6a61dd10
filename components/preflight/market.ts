import { AlpacaUnavailableError, askClock } from "../../clients/alpaca";
import { formatDuration } from "../../core/duration";
import { messageOf, StepError } from "../../core/errors";
import { MarketClockError, type MarketHours, marketHours } from "../../core/market-clock";
import { textAt } from "../../stores/entries";
import type { StoreClient } from "../../stores/store";

/** Alpaca's API, and the paths in the store of the pair for it. */
export interface MarketClock {
  readonly baseUrl: string;
  readonly keyIdPath?: string | undefined;
  readonly secretKeyPath?: string | undefined;
  /** The keys of the pair, if it is in a JSON document. */
  readonly keys?: readonly [string, string] | undefined;
}

/** What the config let pass: the evidence, and the text for the audit row. */
export interface Allowed {
  readonly evidence: string;
  readonly override: string;
}

/**
 * Checks with Alpaca (`GET /v2/clock`, the pair in the store) that the market is closed, and stays so during the rotation.
 *
 * @param allowOpen lets an open market pass, and a clock that does not answer; what it let pass is in the result.
 * @param takes how long the rotation may take, in milliseconds.
 */
export async function checkMarket(
  clock: MarketClock,
  store: StoreClient,
  allowOpen: boolean,
  takes: number,
): Promise<string | Allowed> {
  try {
    const { isOpen, nextOpen, nextClose, opensIn } = await hoursOf(clock, store, allowOpen ? 1 : TRIES);
    if (!isOpen && opensIn > takes) return `closed until ${nextOpen}`;
    const found = isOpen ? `open until ${nextClose}` : `closed, and opens at ${nextOpen}`;
    if (allowOpen) return allowed(`the market was ${found}`);
    const soon = isOpen ? "" : `, in ${inWords(opensIn)}, and a rotation may take ${inWords(takes)}`;
    throw new StepError(`the market is ${found}${soon}; wait until it is closed${isOpen ? "" : " again"}`);
  } catch (error) {
    if (allowOpen) return allowed(`market hours not known: ${messageOf(error)}`);
    throw new StepError(`${messageOf(error)}, or set preflight.allowOpenMarket: true (written into the audit log)`);
  }
}

/** A duration for people: to the second, or, from two minutes on, to the minute. */
export const inWords = (duration: number) =>
  formatDuration(duration < 120_000 ? Math.ceil(duration / 1000) * 1000 : Math.round(duration / 60_000) * 60_000);

export const allowed = (what: string): Allowed => ({ evidence: what, override: `allowOpenMarket: ${what}` });

/** How often Alpaca's clock is tried before it counts as failing. */
const TRIES = 5;

async function hoursOf(clock: MarketClock, store: StoreClient, tries: number): Promise<MarketHours> {
  const { baseUrl, keyIdPath = "alpaca/api_key_id", secretKeyPath = "alpaca/api_secret_key", keys } = clock;
  const found = await Promise.all([store.read(keyIdPath), store.read(secretKeyPath)]);
  const [keyId, secretKey] = [textAt(found[0], keys?.[0]), textAt(found[1], keys?.[1])];
  if (keyId === undefined || secretKey === undefined) {
    throw new StepError(
      `no Alpaca pair in the store to query the market hours with; put one at ${keyIdPath} and ${secretKeyPath}`,
    );
  }
  const pair = { keyId, secretKey };
  try {
    return marketHours(await askClock(baseUrl, pair, { limit: 10_000, tries }), new Date());
  } catch (error) {
    if (error instanceof AlpacaUnavailableError)
      throw new StepError(`Alpaca's clock at ${baseUrl} does not answer: ${error.found}; try again later`);
    if (!(error instanceof MarketClockError)) throw error;
    throw new StepError(`Alpaca's clock at ${baseUrl} gives no market hours: ${error.message}; try again later`);
  }
}
