import ky, { HTTPError, TimeoutError } from "ky";
import { trustingFetch } from "../../../clients/trust";
import { messageOf } from "../../../core/errors";
import { redact } from "../../../core/redact";
import { OperationError } from "../errors";

/** Milliseconds for one attempt; a receiver that hangs costs no more. */
const TIMEOUT = 10_000;

/** Attempts of one delivery: three within a few seconds. The next run or timer tries again. */
const RETRY = {
  limit: 2,
  methods: ["post" as const],
  statusCodes: [408, 425, 429, 500, 502, 503, 504],
  afterStatusCodes: [429, 503],
  maxRetryAfter: 5000,
  backoffLimit: 2000,
  jitter: true,
};

/** What is posted. */
export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What no message may show; the address is among it in any case. */
  readonly secrets?: readonly string[];
  /** How often at most: a reminder is sent once, and the next run tries again. Default: three times. */
  readonly attempts?: 1;
}

/** Posts JSON. @param who the receiver, for the message @throws OperationError without the address, which is a secret */
export async function post(who: string, { url, body, headers = {}, secrets = [], attempts }: Post): Promise<void> {
  try {
    await ky.post(url, {
      fetch: trustingFetch,
      body,
      headers: { "content-type": "application/json", ...headers },
      timeout: TIMEOUT,
      // A redirection would turn the POST into a GET, or send the event to somebody else.
      redirect: "manual",
      retry: attempts === 1 ? 0 : RETRY,
    });
  } catch (error) {
    throw new OperationError(`${who} did not accept the message: ${redact(reasonOf(error), [url, ...secrets])}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof HTTPError) return `${error.response.status} ${error.response.statusText}`.trim();
  if (error instanceof TimeoutError) return `no answer within ${TIMEOUT / 1000} s`;
  return messageOf(error);
}
