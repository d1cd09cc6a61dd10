// What the three commands share: their request, their answer, and the issuer's API. Change this file for your issuer.
import { text } from "node:stream/consumers";

const { ISSUER_URL = "http://127.0.0.1:8787", ISSUER_TOKEN = "" } = process.env;

/** The request on standard input. Without one, the command must do nothing. */
export async function readRequest() {
  const input = await text(process.stdin);
  if (input.trim() === "") fail("expected a request on standard input, found none");
  return JSON.parse(input);
}

/** The answer: one JSON object on standard output, and nothing else. */
export const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** An error: a short text without any value, and another exit status than 0. */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** What the pipeline may do at the issuer: with its own token, which only the environment has. */
export const asAdmin = (method, path, body) =>
  call(method, path, { authorization: `Bearer ${ISSUER_TOKEN}` }, body && JSON.stringify(body));

/** What a credential may do. */
export const asHolder = ({ keyId, secretKey }, method, path) =>
  call(method, path, { authorization: `Basic ${Buffer.from(`${keyId}:${secretKey}`).toString("base64")}` });

async function call(method, path, headers, body) {
  const response = await fetch(new URL(path, ISSUER_URL), {
    method,
    headers: { "content-type": "application/json", ...headers },
    body,
    signal: AbortSignal.timeout(10_000),
  });
  const said = await response.text();
  return { status: response.status, body: said === "" ? undefined : JSON.parse(said) };
}
