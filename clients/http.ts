import type { Got, Options, TimeoutError } from "got";
import { reasonOf } from "../core/errors";
import { publicTrust, type Trust } from "./trust";

/**
 * HTTP requests by a library above `node:http`, loaded at first use. `fetch` would load all of Node.js' second HTTP client: 0.07 s
 * of processor and 40 MB in each step.
 *
 * @param trust how servers are checked
 */
export async function httpWith(trust: Trust | undefined): Promise<Got> {
  const { got } = await import("got");
  return got.extend({ https: httpsOptions(trust) });
}

/** HTTP for every server but Vault and AWS. */
export const publicHttp = (): Promise<Got> => httpWith(publicTrust());

function httpsOptions({ ca, cert, key, rejectUnauthorized, servername }: Trust = {}): NonNullable<Options["https"]> {
  return {
    ...(ca === undefined ? {} : { certificateAuthority: ca }),
    ...(cert === undefined ? {} : { certificate: cert }),
    ...(key === undefined ? {} : { key }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { serverName: servername }),
  } as NonNullable<Options["https"]>;
}

/** An answer's status in words: `503 Service Unavailable`. */
export const statusWords = ({
  statusCode,
  statusMessage = "",
}: {
  statusCode: number;
  statusMessage?: string;
}): string => `${statusCode} ${statusMessage}`.trim();

/** Whether a request was given up since no answer came in time. */
export const isTimeout = (error: unknown): error is TimeoutError =>
  error instanceof Error && error.name === "TimeoutError";

/** Why a request has no answer. */
export const failureWords = (error: unknown): string =>
  isTimeout(error) ? `no answer within ${(error.options.timeout.request ?? 0) / 1000} s` : reasonOf(error);
