import ky, { HTTPError } from "ky";
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

const OVERRIDE = "or set preflight.allowOpenMarket: true (written into the audit log)";

/** Asks Alpaca (`GET /v2/clock`) with the pair in the store whether the market is closed. */
export async function checkMarket(clock: MarketClock, store: StoreClient): Promise<string> {
  const { baseUrl, keyIdPath = "alpaca/api_key_id", secretKeyPath = "alpaca/api_secret_key" } = clock;
  const [keyId, secretKey] = await Promise.all([store.read(keyIdPath), store.read(secretKeyPath)]);
  if (keyId === undefined || secretKey === undefined) {
    throw new StepError(
      `no Alpaca pair in the store to ask for market hours with; put one at ${keyIdPath} and ${secretKeyPath}, ${OVERRIDE}`,
    );
  }
  const answer = await ask(baseUrl, keyId.value, secretKey.value);
  if (answer.is_open)
    throw new StepError(`the market is open until ${answer.next_close}; wait until it is closed, ${OVERRIDE}`);
  return `closed until ${answer.next_open}`;
}

async function ask(baseUrl: string, keyId: string, secretKey: string): Promise<Clock> {
  try {
    return await ky
      .get(new URL("/v2/clock", baseUrl), {
        headers: { "APCA-API-KEY-ID": keyId, "APCA-API-SECRET-KEY": secretKey },
        timeout: 10_000,
        retry: { limit: 4, statusCodes: [429, 500, 502, 503, 504], backoffLimit: 3000 },
      })
      .json<Clock>();
  } catch (error) {
    const found =
      error instanceof HTTPError ? `${error.response.status} ${error.response.statusText}` : messageOf(error);
    throw new StepError(`Alpaca's clock at ${baseUrl} does not answer: ${found}; try again later, ${OVERRIDE}`);
  }
}
