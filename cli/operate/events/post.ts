import { failureWords, publicHttp, statusWords } from "../../../clients/http";
import { redact } from "../../../core/redact";
import { OperationError } from "../errors";

/** Milliseconds for one attempt; a receiver that hangs costs no more. */
const TIMEOUT = 10_000;

/** Attempts of one delivery: three within a few seconds. The next run or timer tries again. */
const RETRY = {
  limit: 2,
  methods: ["POST" as const],
  statusCodes: [408, 425, 429, 500, 502, 503, 504],
  maxRetryAfter: 5000,
  backoffLimit: 2000,
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
    const http = await publicHttp();
    const answer = await http.post(url, {
      body,
      headers: { "content-type": "application/json", ...headers },
      timeout: { request: TIMEOUT },
      // A redirection would turn the POST into a GET, or send the event to somebody else.
      followRedirect: false,
      retry: attempts === 1 ? { limit: 0 } : RETRY,
    });
    if (answer.statusCode >= 300) throw new Error(statusWords(answer));
  } catch (error) {
    throw new OperationError(`${who} did not accept the message: ${redact(reasonOf(error), [url, ...secrets])}`);
  }
}

function reasonOf(error: unknown): string {
  const { response } = error as { readonly response?: Parameters<typeof statusWords>[0] };
  return response === undefined ? failureWords(error) : statusWords(response);
}
