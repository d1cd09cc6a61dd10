import ky, { HTTPError } from "ky";
import { trustingFetch } from "../../clients/trust";
import { messageOf, StepError } from "../run-step";
import type { StoreClient } from "../store";

/** Alpaca's API, and where in the store the pair is that it is asked with. */
export interface MarketClock {
  readonly baseUrl: string;
  readonly keyIdPath?: string | undefined;
  readonly secretKeyPath?: string | undefined;
}

interface Clock {
  readonly is_open: boolean;
  readonly next_open: string;
  readonly next_close: string;
}

/** What the config let pass: the evidence, and what the audit row says of it. */
export interface Allowed {
  readonly evidence: string;
  readonly override: string;
}

/**
 * Asks Alpaca (`GET /v2/clock`) with the pair in the store whether the market is closed.
 *
 * @param allowOpen lets an open market pass, and a clock that does not answer; what it let pass is in the result.
 */
export async function checkMarket(
  clock: MarketClock,
  store: StoreClient,
  allowOpen: boolean,
): Promise<string | Allowed> {
  try {
    const { is_open, next_open, next_close } = await hoursOf(clock, store, allowOpen ? 1 : ATTEMPTS);
    if (!is_open) return `closed until ${next_open}`;
    if (!allowOpen) throw new StepError(`the market is open until ${next_close}; wait until it is closed`);
    return allowed(`the market was open until ${next_close}`);
  } catch (error) {
    if (allowOpen) return allowed(`market hours not known: ${messageOf(error)}`);
    throw new StepError(`${messageOf(error)}, or set preflight.allowOpenMarket: true (written into the audit log)`);
  }
}

const allowed = (what: string): Allowed => ({ evidence: what, override: `allowOpenMarket: ${what}` });

/** Alpaca is asked so often before its clock counts as failing. */
const ATTEMPTS = 5;

async function hoursOf(clock: MarketClock, store: StoreClient, attempts: number): Promise<Clock> {
  const { baseUrl, keyIdPath = "alpaca/api_key_id", secretKeyPath = "alpaca/api_secret_key" } = clock;
  const [keyId, secretKey] = await Promise.all([store.read(keyIdPath), store.read(secretKeyPath)]);
  if (keyId?.value === undefined || secretKey?.value === undefined) {
    throw new StepError(
      `no Alpaca pair in the store to ask for market hours with; put one at ${keyIdPath} and ${secretKeyPath}`,
    );
  }
  try {
    return await ky
      .get(new URL("/v2/clock", baseUrl), {
        headers: { "APCA-API-KEY-ID": keyId.value, "APCA-API-SECRET-KEY": secretKey.value },
        fetch: trustingFetch,
        timeout: 10_000,
        retry: { limit: attempts - 1, statusCodes: [429, 500, 502, 503, 504], backoffLimit: 3000 },
      })
      .json<Clock>();
  } catch (error) {
    const found =
      error instanceof HTTPError ? `${error.response.status} ${error.response.statusText}` : messageOf(error);
    throw new StepError(`Alpaca's clock at ${baseUrl} does not answer: ${found}; try again later`);
  }
}
