import { type AskOptions, ask, type Reading } from "./ask";

/** The credentials of every request. */
export interface Credentials {
  readonly keyId: string;
  readonly secretKey: string;
}

/** What `GET /v2/account` says about the account of a pair. */
export interface Account {
  readonly number: string;
  /** `ACTIVE`, or such as `SUSPENDED`. */
  readonly status: string;
}

/** Alpaca's answer for a pair: the account, or that the pair is refused. */
export type Answer =
  | { readonly status: 200; readonly account: Account }
  | { readonly status: 401 | 403; readonly account?: undefined };

/** Alpaca gave no answer that says anything about the pair, not even after retries. */
export class AlpacaUnavailableError extends Error {
  override readonly name = "AlpacaUnavailableError";

  /** @param found what came instead of an answer, and the number of tries */
  constructor(
    url: URL,
    readonly found: string,
  ) {
    super(`expected ${url} to answer 200, found ${found}; try again later`);
  }
}

/**
 * `GET /v2/account`. A limit on requests (429, as long as `Retry-After` says), a failing server (5xx), a dropped
 * connection and a slow answer are tried again with growing pauses; a refused pair (401, 403) is an answer.
 *
 * @throws AlpacaUnavailableError
 */
export const askAccount = (baseUrl: string, pair: Credentials, options?: AskOptions): Promise<Answer> =>
  askAlpaca<Answer>(new URL("/v2/account", baseUrl), pair, options, (status, text) => {
    if (status === 401 || status === 403) return { answer: { status } };
    return status === 200 ? accountOf(text) : undefined;
  });

/** `GET /v2/clock`, as text; tried again as {@link askAccount} is. @throws AlpacaUnavailableError */
export const askClock = (baseUrl: string, pair: Credentials, options?: AskOptions): Promise<string> =>
  askAlpaca(new URL("/v2/clock", baseUrl), pair, options, (status, text) =>
    status >= 200 && status < 300 ? { answer: text } : undefined,
  );

async function askAlpaca<T>(
  url: URL,
  { keyId, secretKey }: Credentials,
  options: AskOptions = {},
  answerIn: Reading<T>,
): Promise<T> {
  const headers = { "APCA-API-KEY-ID": keyId, "APCA-API-SECRET-KEY": secretKey };
  const asked = await ask(url, { headers }, options, answerIn);
  if ("answer" in asked) return asked.answer;
  throw new AlpacaUnavailableError(url, asked.found);
}

function accountOf(text: string): ReturnType<Reading<Answer>> & object {
  try {
    const { account_number: number, status } = JSON.parse(text) as { account_number?: unknown; status?: unknown };
    if (typeof number === "string" && typeof status === "string")
      return { answer: { status: 200, account: { number, status } } };
  } catch {
    // For example a proxy's page, not Alpaca's answer.
  }
  return { found: "200 without an account number and a status" };
}
