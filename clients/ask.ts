import type { Method } from "got";
import { reasonOf } from "../core/errors";
import { parseTime } from "../core/time";
import { isTimeout, publicHttp, statusWords } from "./http";
import { doubling, poll } from "./poll";

export interface AskOptions {
  /** Milliseconds until all tries together give up. Default 30 s. */
  readonly limit?: number | undefined;
  /** Milliseconds until one request gives up. Default 10 s. */
  readonly timeout?: number | undefined;
  /** The most requests. By default as many as fit into the limit. */
  readonly tries?: number | undefined;
}

export interface AskRequest {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The first pause between two tries, in milliseconds; it doubles up to the longest. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 4000;

/** The result of one request: an answer, or what came instead. */
interface Try<T> {
  readonly answer?: T;
  readonly found?: string;
  /** Set if it was the answer of a server that works: another status than expected. */
  readonly status?: number;
  /** Milliseconds until the next try, as the server requests. */
  readonly wait?: number | undefined;
  /** Whether another try would give the same result. */
  readonly final?: boolean;
  /** Whether the server had not answered yet when the try was given up. */
  readonly late?: boolean;
}

/** The answer in a response; undefined if there is none. */
export type Reading<T> = (status: number, text: string) => Pick<Try<T>, "answer" | "found" | "final"> | undefined;

/** An answer, or what came instead and the number of tries, in words. */
export type Asked<T> =
  | { readonly answer: T }
  | {
      readonly found: string;
      /** Set if a server that works answered, but nothing that was expected. */
      readonly status: number | undefined;
    };

/**
 * Asks a server that limits requests. A limit (429, as long as `Retry-After` says), a failing server (5xx), a dropped
 * connection and a slow answer are tried again with growing pauses. Redirects are not followed: that could send a credential
 * to another host.
 *
 * @param answerIn reads a response
 */
export async function ask<T>(
  url: URL,
  request: AskRequest,
  { limit = 30_000, timeout = 10_000, tries = Number.POSITIVE_INFINITY }: AskOptions,
  answerIn: Reading<T>,
): Promise<Asked<T>> {
  const started = Date.now();
  const left = () => started + limit - Date.now();
  let times = 0;
  let before: Try<T> | undefined;
  const last = await poll(
    async (number) => {
      times = number;
      const patience = Math.max(1, Math.min(timeout, left()));
      const tried = await tryOnce(url, request, patience, answerIn);
      // A try that only the end of all tries cut short says nothing: what the server answered before does.
      if (tried.late && patience < timeout && before !== undefined) return before;
      before = tried;
      return tried;
    },
    ({ answer, final }) => answer !== undefined || final === true,
    {
      every: ({ wait = doubling(FIRST_PAUSE, LONGEST_PAUSE, times) * (0.75 + Math.random() / 2) }) =>
        times < tries && wait < left() ? wait : undefined,
    },
  );
  if (last.answer !== undefined) return { answer: last.answer };
  const asked = times === 1 ? "asked once" : `asked ${times} times in ${Math.ceil((Date.now() - started) / 1000)} s`;
  return { found: `${last.found} (${asked})`, status: last.status };
}

async function tryOnce<T>(url: URL, request: AskRequest, timeout: number, answerIn: Reading<T>): Promise<Try<T>> {
  try {
    const http = await publicHttp();
    const response = await http(url, {
      ...(request as { method?: Method }),
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      timeout: { request: timeout },
    });
    const { statusCode: status, headers, body } = response;
    const read = answerIn(status, body);
    if (read !== undefined) return { ...read, status };
    const final = status < 500 && status !== 429;
    return {
      found: statusWords(response),
      wait: retryAfter(headers["retry-after"]),
      final,
      ...(final ? { status } : {}),
    };
  } catch (error) {
    return isTimeout(error) ? { found: "no answer in time", late: true } : { found: reasonOf(error) };
  }
}

/** Milliseconds; the header has seconds or a date. */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const time = parseTime(header);
  return time && Math.max(0, time.getTime() - Date.now());
}
