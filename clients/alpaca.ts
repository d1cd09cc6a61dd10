import { parseTime } from "../core/time";
import { doubling, poll } from "./poll";
import { trustingFetch } from "./trust";

/** What every request proves itself with. */
export interface Credentials {
  readonly keyId: string;
  readonly secretKey: string;
}

/** What `GET /v2/account` says of the account behind a pair. */
export interface Account {
  readonly number: string;
  /** `ACTIVE`, or such as `SUSPENDED`. */
  readonly status: string;
}

/** Alpaca's answer to a pair: the account, or that the pair is refused. */
export type Answer =
  | { readonly status: 200; readonly account: Account }
  | { readonly status: 401 | 403; readonly account?: undefined };

/** Alpaca gave no answer that says anything about the pair, however often it was asked. */
export class AlpacaUnavailableError extends Error {
  override readonly name = "AlpacaUnavailableError";
}

export interface AskOptions {
  /** Milliseconds until all tries together give up. Default 30 s. */
  readonly limit?: number;
  /** Milliseconds until one request gives up. Default 10 s. */
  readonly timeout?: number;
}

/** The first pause between two tries, in milliseconds; it doubles up to the longest. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 4000;

type Try = { readonly answer: Answer } | { readonly found: string; readonly wait?: number | undefined };

/**
 * `GET /v2/account`. A limit on requests (429, as long as `Retry-After` says), a failing server (5xx), a dropped
 * connection and a slow answer are tried again with growing pauses; a refused pair (401, 403) is an answer.
 *
 * @throws AlpacaUnavailableError
 */
export async function askAccount(baseUrl: string, pair: Credentials, options: AskOptions = {}): Promise<Answer> {
  const { limit = 30_000, timeout = 10_000 } = options;
  const started = Date.now();
  const left = () => started + limit - Date.now();
  let tries = 0;
  const last = await poll<Try>(
    (number) => {
      tries = number;
      return tryOnce(baseUrl, pair, Math.max(1, Math.min(timeout, left())));
    },
    (result) => "answer" in result,
    {
      every: (result, asked) => {
        const given = "wait" in result ? result.wait : undefined;
        const wait = given ?? doubling(FIRST_PAUSE, LONGEST_PAUSE, asked) * (0.75 + Math.random() / 2);
        return wait < left() ? wait : undefined;
      },
    },
  );
  if ("answer" in last) return last.answer;
  const asked = tries === 1 ? "asked once" : `asked ${tries} times in ${Math.ceil((Date.now() - started) / 1000)} s`;
  throw new AlpacaUnavailableError(
    `expected ${new URL("/v2/account", baseUrl)} to answer 200, found ${last.found} (${asked}); try again later`,
  );
}

async function tryOnce(baseUrl: string, { keyId, secretKey }: Credentials, timeout: number): Promise<Try> {
  try {
    const response = await trustingFetch(new URL("/v2/account", baseUrl), {
      headers: { "APCA-API-KEY-ID": keyId, "APCA-API-SECRET-KEY": secretKey },
      // A redirect would carry the pair to somebody else.
      redirect: "error",
      signal: AbortSignal.timeout(timeout),
    });
    const text = await response.text();
    const { status } = response;
    if (status === 200) return accountOf(text);
    if (status === 401 || status === 403) return { answer: { status } };
    return { found: `${status} ${response.statusText}`.trim(), wait: retryAfter(response.headers.get("retry-after")) };
  } catch (error) {
    return { found: reasonOf(error) };
  }
}

function accountOf(text: string): Try {
  try {
    const { account_number: number, status } = JSON.parse(text) as { account_number?: unknown; status?: unknown };
    if (typeof number === "string" && typeof status === "string")
      return { answer: { status: 200, account: { number, status } } };
  } catch {
    // A proxy's page, say: not what Alpaca answers.
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

/** Node says only `fetch failed`; why is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join("; ");
  if (cause instanceof Error) return cause.message;
  return error.message;
}
