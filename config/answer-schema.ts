import * as z from "zod";
import { settings } from "../core/schema-parts";

export const ADDRESS = "expected an http:// or https:// address";

/** Names of query parameters that carry a credential. */
const CREDENTIAL = /token|secret|passw(or)?d|^pwd$|api[-_]?key|access[-_]?key|^auth|credential|signature|^sig$|^key$/i;

/** What is wrong with an address of a request; it may hold a credential, so nothing of it is repeated then. */
function addressProblem(address: string): string | undefined {
  const url = urlOf(address.replaceAll("{address}", "localhost"));
  if (url === undefined || !/^(https?|tcp):\/\//i.test(address)) {
    return `${ADDRESS}${address.includes("@") ? "" : `, found ${JSON.stringify(address.slice(0, 60))}`}`;
  }
  const without = "expected an address without a credential: it is stored as it is, and a process list shows it; found";
  if (url.username !== "" || url.password !== "") return `${without} a user or a password in it`;
  const parameter = [...url.searchParams.keys()].find((key) => CREDENTIAL.test(key));
  if (parameter !== undefined) return `${without} the parameter \`${parameter}\``;
  if (url.protocol !== "tcp:") return undefined;
  const bare = url.port !== "" && ["", "/"].includes(url.pathname) && url.search === "";
  return bare ? undefined : "expected tcp://HOST:PORT and nothing behind it";
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

export const address = z.string(ADDRESS).superRefine((value, context) => {
  const message = addressProblem(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const scalar = z.union([z.string().min(1), z.number(), z.boolean()], "expected text, a number, true or false");
const scalars = z.union([scalar, z.array(scalar).min(1)], "expected a value or a list of values");
const texts = scalars.transform((values) => [values].flat().map(String));

const status = z.union(
  [z.literal("2xx"), z.number().int().min(100).max(599), z.array(z.number().int().min(100).max(599)).min(1)],
  "expected 2xx, an HTTP status such as 200, or a list of them",
);

/** What an answer over http must be, to count as healthy or as taken. What is left out is not checked. */
export const answer = settings({
  /** The HTTP status, or a list of them. Default `2xx`. */
  status: status.optional(),
  /** A field of the JSON answer; a path with dots for a nested one. Default `status` if `equals` is set. */
  field: z.string().min(1).nullable().optional(),
  /** What the field may be, such as `[UP]`: compared as text, case-sensitively. Default `healthy`. */
  equals: texts.optional(),
  /** Instead of a field: what the whole body may be, such as `OK`. */
  text: texts.optional(),
})
  .refine((rule) => Object.keys(rule).length > 0, { error: "expected status, field, equals or text, found none" })
  .refine(({ field, equals, text: body }) => body === undefined || (field == null && equals === undefined), {
    path: ["text"],
    error: "expected either `text` or `field` and `equals`, found both",
  })
  .refine(({ field, equals }) => field !== null || equals === undefined, {
    path: ["equals"],
    error: "expected only with a `field`; for a body that is no JSON set `text`",
  });
