import { reasonOf } from "../core/errors";
import { parseTime } from "../core/time";
import { doubling, poll } from "./poll";
import { trustingFetch } from "./trust";

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

export interface AskOptions {
  /** Milliseconds until all tries together give up. Default 30 s. */
  readonly limit?: number;
  /** Milliseconds until one request gives up. Default 10 s. */
  readonly timeout?: number;
  /** The most requests. By default as many as fit into the limit. */
  readonly tries?: number;
}

/** The first pause between two tries, in milliseconds; it doubles up to the longest. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 4000;

/** The result of one request: an answer, or what came instead. */
interface Try<T> {
  readonly answer?: T;
  readonly found?: string;
  /** Milliseconds until the next try, as the server requests. */
  readonly wait?: number | undefined;
  /** Whether another try would give the same result. */
  readonly final?: boolean;
}

/** The answer in a response; undefined if there is none. */
type Reading<T> = (status: number, text: string) => Pick<Try<T>, "answer" | "found"> | undefined;

/**
 * `GET /v2/account`. A limit on requests (429, as long as `Retry-After` says), a failing server (5xx), a dropped
 * connection and a slow answer are tried again with growing pauses; a refused pair (401, 403) is an answer.
 *
 * @throws AlpacaUnavailableError
 */
export const askAccount = (baseUrl: string, pair: Credentials, options?: AskOptions): Promise<Answer> =>
  ask<Answer>(new URL("/v2/account", baseUrl), pair, options, (status, text) => {
    if (status === 401 || status === 403) return { answer: { status } };
    return status === 200 ? accountOf(text) : undefined;
  });

/** `GET /v2/clock`, as text; tried again as {@link askAccount} is. @throws AlpacaUnavailableError */
export const askClock = (baseUrl: string, pair: Credentials, options?: AskOptions): Promise<string> =>
  ask(new URL("/v2/clock", baseUrl), pair, options, (status, text) =>
    status >= 200 && status < 300 ? { answer: text } : undefined,
  );

async function ask<T>(
  url: URL,
  pair: Credentials,
  { limit = 30_000, timeout = 10_000, tries = Number.POSITIVE_INFINITY }: AskOptions = {},
  answerIn: Reading<T>,
): Promise<T> {
  const started = Date.now();
  const left = () => started + limit - Date.now();
  let times = 0;
  const last = await poll(
    (number) => {
      times = number;
      return tryOnce(url, pair, Math.max(1, Math.min(timeout, left())), answerIn);
    },
    ({ answer, final }) => answer !== undefined || final === true,
    {
      every: ({ wait = doubling(FIRST_PAUSE, LONGEST_PAUSE, times) * (0.75 + Math.random() / 2) }) =>
        times < tries && wait < left() ? wait : undefined,
    },
  );
  if (last.answer !== undefined) return last.answer;
  const asked = times === 1 ? "asked once" : `asked ${times} times in ${Math.ceil((Date.now() - started) / 1000)} s`;
  throw new AlpacaUnavailableError(url, `${last.found} (${asked})`);
}

async function tryOnce<T>(
  url: URL,
  { keyId, secretKey }: Credentials,
  timeout: number,
  answerIn: Reading<T>,
): Promise<Try<T>> {
  try {
    const response = await trustingFetch(url, {
      headers: { "APCA-API-KEY-ID": keyId, "APCA-API-SECRET-KEY": secretKey },
      // Following a redirect could send the pair to another host.
      redirect: "manual",
      signal: AbortSignal.timeout(timeout),
    });
    const { status, statusText, headers } = response;
    const read = answerIn(status, await response.text());
    if (read !== undefined) return read;
    const final = status < 500 && status !== 429;
    return { found: `${status} ${statusText}`.trim(), wait: retryAfter(headers.get("retry-after")), final };
  } catch (error) {
    return { found: isTimeout(error) ? "no answer in time" : reasonOf(error) };
  }
}

const isTimeout = (error: unknown) => error instanceof Error && error.name === "TimeoutError";

function accountOf(text: string): Pick<Try<Answer>, "answer" | "found"> {
  try {
    const { account_number: number, status } = JSON.parse(text) as { account_number?: unknown; status?: unknown };
    if (typeof number === "string" && typeof status === "string")
      return { answer: { status: 200, account: { number, status } } };
  } catch {
    // For example a proxy's page, not Alpaca's answer.
  }
  return { found: "200 without an account number and a status" };
}

/** Milliseconds; the header has seconds or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const time = parseTime(header);
  return time && Math.max(0, time.getTime() - Date.now());
}
