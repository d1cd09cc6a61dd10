import * as z from "zod";
import { calendarSettings } from "../../core/calendar-schema";
import { documentKey, documentSettings } from "../../core/document-settings";
import { parseDuration } from "../../core/duration";
import { anyJson, isJsonPath } from "../../core/json-path";
import { duration, hooks, httpUrl, policyOverride, restart, secretName, settings, text } from "../../core/schema-parts";
import { dryRun, fieldName, variableName } from "../issuer/schema";

const status = z.number().int().min(200).max(499);

const statuses = z.union([status, z.array(status).min(1)], {
  error: "expected an HTTP status from 200 to 499, or a list of them",
});

/** Anything else is no header, and the error of the library would show all of it. */
const headerText = text(/^[\t\x20-\x7e]*$/, "expected ASCII in one line, as HTTP headers take it");

const jsonPath = z
  .string()
  .refine(isJsonPath, 'expected a path such as $.account.id, with .name, [0] or ["name"] for each step');

const REQUEST = /^(GET|POST|PUT|PATCH|DELETE) (https:\/\/|http:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])[:/])\S+$/;

/** An HTTP request, with the fields of the key in braces: `{key}`. */
const request = {
  /**
   * Method and address, such as `GET https://api.example.com/v1/account`. https alone, except for a loopback address. A field in
   * it is encoded for a URL. Redirects are not followed.
   */
  request: text(REQUEST, "expected a method and an https:// address, such as GET https://api.example.com/v1/account"),
  /** Headers, such as `{ Authorization: "Bearer {key}" }`. What is no field is no secret. Default: none. */
  headers: z.record(text(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "expected the name of a header"), headerText).default({}),
  /** User and password of HTTP's Basic authentication with a colon between them, such as `{id}:{secret}`. */
  basicAuth: text(
    /^[^:]*:/,
    "expected a user and a password with a colon between them, such as {id}:{secret}",
  ).optional(),
  /** A body of JSON, with the fields in its texts. Default: no body. */
  json: anyJson.optional(),
  /** A body as a form sends it, with the fields in its values. Default: no body. */
  form: z.record(z.string(), z.string()).optional(),
  /** How long one request may take. Default 10s. */
  timeout: duration.default(parseDuration("10s")),
};

/** What an answer must be, besides its status. */
const body = {
  /** What its JSON must hold: these keys with these values, among others. Default: anything. */
  json: anyJson.optional(),
};

/** A request that makes or ends keys, or a command in its place. */
const managing = {
  ...request,
  /** Method and address, as for `verify`. Instead: `command`. */
  request: request.request.optional(),
  /**
   * Instead of `request`: a command of your own, run by `sh -c`, with the protocol of custom kinds (docs/custom.md). It gets the variables
   * that `variables` names and no other with a credential, and must not hold a secret. `timeout` is its time limit.
   */
  command: z.string().min(1).optional(),
};

/** A key, or several values that belong together, of a service that the operator or the pipeline makes there. */
export const apiKeySchema = settings({
  /** What kind of credential it is. */
  kind: z.literal("api-key"),
  /** Its name in the audit log, in `apiKeys` and in requests. */
  name: secretName,
  /** The values that make up a key, such as `[id, secret]`. Default `[key]`. */
  fields: z.array(fieldName).min(1).max(10).default(["key"]),
  /**
   * The path of each field in the store. Default: the secret's name if it has one field, else the name with `_` and the field.
   * A change writes the key to the new path.
   */
  storePaths: z.record(fieldName, secretName).optional(),
  /** The issuer's page on which you make and delete keys, for messages. Default: messages name the host of `verify`. */
  dashboard: httpUrl.optional(),
  /** How the issuer is asked whether a key works. The request must change nothing. */
  verify: settings({
    ...request,
    /** The answer to a key that works. */
    expect: settings({
      /** One status, or a list. */
      status: statuses.default(200),
      ...body,
    }).default({ status: 200 }),
    /**
     * The answer to a key that has ended or never was one. Any other answer but `expect` says nothing about a key: a 403 counts only
     * if you name it.
     */
    revoked: settings({
      /** One status, or a list. */
      status: statuses.default(401),
      ...body,
    }).default({ status: 401 }),
    /**
     * Where the answer says whose key it is, such as `$.account.id` or `$.accounts[0]["account id"]`: a new key must have what
     * the key in use has. Default: not compared.
     */
    identity: jsonPath.optional(),
    /** How long a new key may be refused before that counts. Default 30s. */
    activationWait: duration.default(parseDuration("30s")),
  }),
  /**
   * How the pipeline makes a new key, so that it rotates by age like a password. With `revoke`. Default: you make keys, and supply
   * them with `rotation key add`. A secret that has keys already cannot go from one to the other in place.
   */
  issue: settings({
    ...managing,
    /** The answer that has a new key. Its JSON is read by `values`. Default: status 200 or 201. */
    expect: settings({
      /** One status, or a list. */
      status: statuses.default([200, 201]),
      ...body,
    }).default({ status: [200, 201] }),
    /**
     * Where the answer has each of the `fields`, such as `{ key: $.data.key }`. Any other name is kept in the stack's state, and in
     * no store: what `revoke` needs, such as `keyId: $.data.id`. Mandatory with `request`.
     */
    values: z.record(fieldName, jsonPath).optional(),
    /**
     * The answer if a key with this `{id}` exists, of which an interrupted update knew no value, such as `{ status: 409 }`. Then
     * `revoke`, which must name the key by `{id}` alone, ends it, and it is made anew. Default: no such answer.
     */
    taken: settings({
      /** One status, or a list. */
      status: statuses,
      ...body,
    }).optional(),
  }).optional(),
  /** How the pipeline ends a key that `issue` has made, once its grace period is over. Only with `issue`, and mandatory then. */
  revoke: settings({
    ...managing,
    /** The answer once a key was ended. Default: status 200, 202 or 204. */
    expect: settings({
      /** One status, or a list. */
      status: statuses.default([200, 202, 204]),
      ...body,
    }).default({ status: [200, 202, 204] }),
    /** The answer for a key that has ended before; `verify` proves it in any case. Default: status 404. */
    gone: settings({
      /** One status, or a list. */
      status: statuses.default(404),
      ...body,
    }).default({ status: 404 }),
    /** How long the issuer may accept a key after its end. Default 30s. */
    wait: duration.default(parseDuration("30s")),
  }).optional(),
  /**
   * Your own credentials that `issue` and `revoke` need: variables of the run's environment, by the names that requests have for
   * them in braces, such as `{ token: MARKET_DATA_TOKEN }` for `{token}`. Default: none.
   */
  variables: z.record(fieldName, variableName).optional(),
  /**
   * What `identity` must be for every key. Default: what the key in use has; so this is needed only if that one was deleted
   * before a new one was supplied.
   */
  account: z.string().min(1).optional(),
  /** Run after the restarts: it must exit with status 0 and print no line that says ERROR. */
  dryRun: dryRun.optional(),
  /** The services that read it, restarted in this order. */
  restart,
  ...hooks,
  policy: policyOverride,
  ...calendarSettings,
  ...documentSettings,
  /** For json and both: the names of the document's keys, by the fields. Default: each field's own name. */
  keys: z.record(fieldName, documentKey).optional(),
});

export type ApiKeyConfig = z.output<typeof apiKeySchema>;

/** A key that its issuer makes at this pipeline's request. */
export type IssuedApiKeyConfig = ApiKeyConfig & Required<Pick<ApiKeyConfig, "issue" | "revoke">>;

/** A request of the config. */
export type RequestConfig = Omit<ApiKeyConfig["verify"], "expect" | "revoked" | "identity" | "activationWait">;

/** The names of the values that `issue` keeps beside the fields. */
export const keptOf = ({ issue, fields }: Pick<ApiKeyConfig, "issue" | "fields">): string[] =>
  Object.keys(issue?.values ?? {}).filter((name) => !fields.includes(name));

/** The host and port of a request. */
export const hostOf = ({ request: text }: { readonly request: string }): string =>
  text.replace(/^\w+ \w+:\/\/([^/?#]*).*$/, "$1");

/** A request as a step sends it. */
export const requestOf = ({ request: text, headers, basicAuth, json: body, form, timeout }: RequestConfig) => ({
  method: text.slice(0, text.indexOf(" ")),
  url: text.slice(text.indexOf(" ") + 1),
  headers,
  ...(basicAuth === undefined ? {} : { basicAuth }),
  ...(body === undefined ? {} : { json: body }),
  ...(form === undefined ? {} : { form }),
  timeout,
});

/** What an answer must be, as a step compares it. */
export const matchOf = ({ status: one, json: wanted }: ApiKeyConfig["verify"]["expect"]) => ({
  status: [one].flat(),
  ...(wanted === undefined ? {} : { json: wanted }),
});
