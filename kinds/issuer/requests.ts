import * as z from "zod";
import { type Asked, type AskRequest, ask } from "../../clients/ask";
import { StepError } from "../../core/errors";
import { anyJson, holdsJson, valueAtPath } from "../../core/json-path";
import { fieldsOf, mapTexts } from "../../core/request-templates";
import { secret } from "../../core/secret-fields";
import { rendered } from "../../core/template";
import type { Issuer, Patience, Values, Verdict } from "./issuer";

/** What an answer must be: its status, and what its JSON must hold. */
const match = z.object({ status: z.array(z.number()), json: anyJson.optional() });

/** A request with templates; the fields of a key, `{id}`, and what the operator's own credential is. */
const request = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  basicAuth: z.string().optional(),
  json: anyJson.optional(),
  form: z.record(z.string(), z.string()).optional(),
  /** Milliseconds. */
  timeout: z.number(),
  expect: match,
});

/** The requests of an issuer, as a step's input has them. */
export const requestsReference = z.object({
  verify: request.extend({ revoked: match, identity: z.string().optional() }),
  /** Makes a key; `values`: where the answer has each field, as a path of JSON. */
  issue: request.extend({ values: z.record(z.string(), z.string()) }).optional(),
  /** Ends a key; `gone`: the answer for one that has ended. */
  revoke: request.extend({ gone: match.optional() }).optional(),
  /** The credential of the requests that make and end keys, for `{token}`. */
  token: secret(z.string()).optional(),
});

export type RequestsReference = z.output<typeof requestsReference>;

type Request = z.output<typeof request>;
type Match = z.output<typeof match>;

interface Response {
  readonly status: number;
  readonly text: string;
}

/** An issuer that is asked over HTTP. */
export class RequestIssuer implements Issuer {
  readonly issue: Issuer["issue"];
  readonly revoke: Issuer["revoke"];

  constructor(private readonly requests: RequestsReference) {
    const { issue, revoke } = requests;
    this.issue = issue && ((id) => this.make(issue, id));
    this.revoke = revoke && ((values) => this.end(revoke, values));
  }

  async verify(values: Values, patience?: Patience): Promise<Verdict> {
    const { verify } = this.requests;
    const { revoked, identity } = verify;
    const host = hostOf(verify);
    const asked = await send(verify, values, [verify.expect, revoked], { tries: undefined, ...patience });
    if ("found" in asked) {
      if (asked.status === undefined) return { answer: "unknown", evidence: `${host} gives no answer: ${asked.found}` };
      return { answer: "unknown", evidence: `${host} answers ${asked.found}`, answered: true };
    }
    const { status, text } = asked.answer;
    const evidence = `${host} answers ${status}`;
    if (!matches(asked.answer, verify.expect)) return { answer: "refused", evidence };
    if (identity === undefined) return { answer: "works", evidence };
    const found = valueAtPath(parsed(text), identity);
    if (typeof found !== "string" && typeof found !== "number")
      return { answer: "unknown", evidence: `${evidence} without a text or a number at ${identity}` };
    return { answer: "works", evidence, identity: String(found) };
  }

  private async make({ values, ...issue }: Request & { readonly values: Values }, id: string): Promise<Values> {
    // Without the id in it, a second request could make a second key.
    const tries = fieldsOf(issue).includes("id") ? undefined : 1;
    const answer = await this.asked("issue", issue, { id }, [issue.expect], tries);
    const body = parsed(answer.text);
    const found = Object.entries(values).map(([field, path]) => [field, valueAtPath(body, path)] as const);
    const missing = found.filter(([, value]) => typeof value !== "string" || value === "").map(([field]) => field);
    if (missing.length === 0) return Object.fromEntries(found) as Values;
    const places = missing.map((field) => `${field} at ${values[field]}`).join(", ");
    throw new StepError(`expected the answer of ${hostOf(issue)} to \`issue\` to hold ${places}, found none`);
  }

  private async end({ gone, ...revoke }: Request & { readonly gone?: Match | undefined }, values: Values) {
    await this.asked("revoke", revoke, values, [revoke.expect, ...(gone === undefined ? [] : [gone])]);
  }

  /** @throws StepError for any other answer than these */
  private async asked(what: string, made: Request, values: Values, wanted: readonly Match[], tries?: number) {
    const { token } = this.requests;
    const all = token === undefined ? values : { ...values, token };
    const asked = await send(made, all, wanted, { tries });
    if ("answer" in asked) return asked.answer;
    const statuses = [...new Set(wanted.flatMap(({ status }) => status))].join(" or ");
    throw new StepError(
      `expected ${hostOf(made)} to answer ${statuses} to \`${what}\`, found ${asked.found}; correct the request in the ` +
        "config or try again later",
    );
  }
}

const hostOf = ({ url }: Pick<Request, "url">) => new URL(url.replace(/^([^/]*\/\/[^/?#]*).*$/, "$1")).host;

function send(
  made: Request,
  values: Values,
  wanted: readonly Match[],
  { tries, ...patience }: Patience & { readonly tries: number | undefined },
): Promise<Asked<Response>> {
  const { timeout } = made;
  const url = new URL(String(rendered(made.url, values, "url")));
  return ask<Response>(url, requestOf(made, values), { timeout, tries, ...patience }, (status, text) => {
    const answer = { status, text };
    if (wanted.some((one) => matches(answer, one))) return { answer };
    return wanted.some((one) => one.status.includes(status))
      ? { found: `${status} with another JSON than expected`, final: true }
      : undefined;
  });
}

/** Fields are encoded for the place that they are in: JSON, a form, a header. */
function requestOf({ method, headers, basicAuth, json: body, form }: Request, values: Values): AskRequest {
  const text = (template: string) => String(rendered(template, values, "raw"));
  const all = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), text(value)]));
  if (basicAuth !== undefined) {
    all.authorization = `Basic ${Buffer.from(text(basicAuth), "utf8").toString("base64")}`;
  }
  if (body !== undefined) {
    return {
      method,
      headers: { "content-type": "application/json", ...all },
      body: JSON.stringify(mapTexts(body, text)),
    };
  }
  if (form === undefined) return { method, headers: all };
  const fields = Object.entries(form).map(([name, template]): [string, string] => [name, text(template)]);
  const type = { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" };
  return { method, headers: { ...type, ...all }, body: new URLSearchParams(fields).toString() };
}

function matches({ status, text }: Response, wanted: Match): boolean {
  if (!wanted.status.includes(status)) return false;
  return wanted.json === undefined || holdsJson(parsed(text), wanted.json);
}

/** Undefined if it is no JSON, for example a proxy's page. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
