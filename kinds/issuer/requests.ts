import * as z from "zod";
import { type Asked, type AskRequest, ask } from "../../clients/ask";
import { unsetVariables } from "../../clients/environment-secrets";
import { StepError } from "../../core/errors";
import { anyJson, holdsJson, valueAtPath } from "../../core/json-path";
import { fieldsOf, mapTexts } from "../../core/request-templates";
import { rendered } from "../../core/template";
import type { Issuer, Patience, Values, Verdict } from "./issuer";

/** What an answer must be: its status, and what its JSON must hold. */
const match = z.object({ status: z.array(z.number()), json: anyJson.optional() });

/** A request with templates: the values of a key, `{id}`, and the operator's own credentials. */
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
  /** Makes a key; `values`: where the answer has each value, as a path of JSON; `taken`: the answer if the id has a key. */
  issue: request.extend({ values: z.record(z.string(), z.string()), taken: match.optional() }).optional(),
  /** Ends a key; `gone`: the answer for one that has ended. */
  revoke: request.extend({ gone: match.optional() }).optional(),
  /** Variables of the environment with what else `issue` and `revoke` need, by the names in braces. */
  variables: z.record(z.string(), z.string()).optional(),
});

export type RequestsReference = z.output<typeof requestsReference>;

type Request = z.output<typeof request>;
type Match = z.output<typeof match>;
type Issue = NonNullable<RequestsReference["issue"]>;
type Revoke = NonNullable<RequestsReference["revoke"]>;

interface Response {
  readonly status: number;
  readonly text: string;
}

/** An issuer that is asked over HTTP. */
export class RequestIssuer implements Issuer {
  readonly issue: Issuer["issue"];
  readonly revoke: Issuer["revoke"];
  /** Without the id in it, a second request could make a second key. */
  readonly repeats: boolean;

  constructor(private readonly requests: RequestsReference) {
    const { issue, revoke } = requests;
    this.issue = issue && ((id) => this.make(issue, id));
    this.revoke = revoke && ((values, id) => this.end(revoke, values, id));
    this.repeats = issue !== undefined && fieldsOf(issue).includes("id");
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

  /** @param isFirst false once a key that was left under this id has been ended */
  private async make(issue: Issue, id: string, isFirst = true): Promise<Values> {
    const { values, taken } = issue;
    const wanted = [issue.expect, ...(taken === undefined ? [] : [taken])];
    const answer = await this.asked("issue", issue, { id }, wanted, this.repeats ? undefined : 1);
    if (!matches(answer, issue.expect)) {
      if (!isFirst) throw new StepError(`expected ${hostOf(issue)} to have no key ${id} after its end, found one`);
      await this.revoke?.({}, id);
      return this.make(issue, id, false);
    }
    const body = parsed(answer.text);
    const found = Object.entries(values).map(([name, path]) => [name, textOf(valueAtPath(body, path))] as const);
    const missing = found.filter(([, value]) => value === "").map(([name]) => `${name} at ${values[name]}`);
    if (missing.length === 0) return Object.fromEntries(found);
    throw new StepError(
      `expected the answer of ${hostOf(issue)} to \`issue\` to hold ${missing.join(", ")}, found none`,
    );
  }

  private async end({ gone, ...revoke }: Revoke, values: Values, id: string): Promise<void> {
    await this.asked("revoke", revoke, { id, values }, [revoke.expect, ...(gone === undefined ? [] : [gone])]);
  }

  /** @throws StepError for any other answer than these */
  private async asked(
    what: "issue" | "revoke",
    made: Request,
    { id, values = {} }: { readonly id: string; readonly values?: Values },
    wanted: readonly Match[],
    tries?: number,
  ): Promise<Response> {
    const all = { id, ...values, ...credentialsOf(this.requests) };
    const host = hostOf(made);
    const unknown = fieldsOf(made).find((name) => !Object.hasOwn(all, name));
    if (unknown !== undefined)
      throw new StepError(
        `expected the stack to have kept {${unknown}} of the key ${id}, which \`${what}\` names, found none: end it at ${host} ` +
          "yourself, or name it in the config by what is known",
      );
    const asked = await send(made, all, wanted, { tries });
    if ("answer" in asked) return asked.answer;
    const statuses = [...new Set(wanted.flatMap(({ status }) => status))].join(" or ");
    const next =
      tries === 1 && asked.status === undefined
        ? "it may have made a key that nobody knows: look there, end it, and run again"
        : "correct the request in the config or try again later";
    throw new StepError(`expected ${host} to answer ${statuses} to \`${what}\`, found ${asked.found}; ${next}`);
  }
}

/** The operator's own credentials, by their names in braces. @throws StepError if one is missing, or is no text for a header */
function credentialsOf({ variables = {} }: RequestsReference): Values {
  const unset = unsetVariables(Object.values(variables), process.env);
  if (unset !== undefined) throw new StepError(unset);
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => {
      const value = process.env[variable] ?? "";
      // The error of the library would show it.
      if (!/^[\x20-\x7e]+$/.test(value))
        throw new StepError(`expected ASCII in one line in ${variable}, found other text`);
      return [name, value];
    }),
  );
}

/** Numbers too: many issuers count their keys. "" for what is neither. */
const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

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
