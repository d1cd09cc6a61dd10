import ky, { HTTPError } from "ky";
import { trustingFetch } from "../../clients/trust";
import { formatDuration } from "../../core/duration";
import { messageOf, StepError } from "../../core/errors";
import { MarketClockError, type MarketHours, marketHours } from "../../core/market-clock";
import type { StoreClient } from "../../stores/store";

/** Alpaca's API, and where in the store the pair is that it is asked with. */
export interface MarketClock {
  readonly baseUrl: string;
  readonly keyIdPath?: string | undefined;
  readonly secretKeyPath?: string | undefined;
}

/** What the config let pass: the evidence, and what the audit row says of it. */
export interface Allowed {
  readonly evidence: string;
  readonly override: string;
}

/**
 * Asks Alpaca (`GET /v2/clock`) with the pair in the store whether the market is closed, and stays so while a rotation runs.
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
    const { isOpen, nextOpen, nextClose, opensIn } = await hoursOf(clock, store, allowOpen ? 1 : ATTEMPTS);
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

/** To the second, or, from two minutes on, to the minute. */
const inWords = (duration: number) =>
  formatDuration(duration < 120_000 ? Math.ceil(duration / 1000) * 1000 : Math.round(duration / 60_000) * 60_000);

const allowed = (what: string): Allowed => ({ evidence: what, override: `allowOpenMarket: ${what}` });

/** Alpaca is asked so often before its clock counts as failing. */
const ATTEMPTS = 5;

async function hoursOf(clock: MarketClock, store: StoreClient, attempts: number): Promise<MarketHours> {
  const { baseUrl, keyIdPath = "alpaca/api_key_id", secretKeyPath = "alpaca/api_secret_key" } = clock;
  const [keyId, secretKey] = await Promise.all([store.read(keyIdPath), store.read(secretKeyPath)]);
  if (keyId?.value === undefined || secretKey?.value === undefined) {
    throw new StepError(
      `no Alpaca pair in the store to ask for market hours with; put one at ${keyIdPath} and ${secretKeyPath}`,
    );
  }
  try {
    const answer = await ky
      .get(new URL("/v2/clock", baseUrl), {
        headers: { "APCA-API-KEY-ID": keyId.value, "APCA-API-SECRET-KEY": secretKey.value },
        fetch: trustingFetch,
        timeout: 10_000,
        // The pair is for this address alone.
        redirect: "manual",
        retry: { limit: attempts - 1, statusCodes: [429, 500, 502, 503, 504], backoffLimit: 3000 },
      })
      .text();
    return marketHours(answer, new Date());
  } catch (error) {
    if (error instanceof MarketClockError) {
      throw new StepError(
        `Alpaca's clock at ${baseUrl} says nothing of the market's hours: ${error.message}; try again later`,
      );
    }
    const found =
      error instanceof HTTPError ? `${error.response.status} ${error.response.statusText}` : messageOf(error);
    throw new StepError(`Alpaca's clock at ${baseUrl} does not answer: ${found}; try again later`);
  }
}
