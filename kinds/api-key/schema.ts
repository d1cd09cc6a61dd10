import * as z from "zod";
import { calendarSettings } from "../../core/calendar-schema";
import { documentKey, documentSettings } from "../../core/document-settings";
import { parseDuration } from "../../core/duration";
import { anyJson, isJsonPath } from "../../core/json-path";
import { duration, hooks, httpUrl, policyOverride, restart, secretName, settings, text } from "../../core/schema-parts";
import { dryRun, fieldName } from "../issuer/schema";

const status = z.number().int().min(200).max(499);

const statuses = z.union([status, z.array(status).min(1)], {
  error: "expected an HTTP status from 200 to 499, or a list of them",
});

/** Anything else is no header, and the error of the library would show all of it. */
const headerText = text(/^[\t\x20-\x7e]*$/, "expected ASCII in one line, as HTTP headers take it");

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

/** A key, or several values that belong together, of a service that only the operator can make there. */
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
      /** One status, or a list. Default 200. */
      status: statuses.default(200),
      /** What its JSON must hold: these keys with these values, among others. Default: anything. */
      json: anyJson.optional(),
    }).default({ status: 200 }),
    /** The answer to a key that has ended or never was one. Any other answer but `expect` says nothing about a key. */
    revoked: settings({
      /** One status, or a list. Default 401. A 403 counts only if you name it. */
      status: statuses.default(401),
      /** What its JSON must hold. Default: anything. */
      json: anyJson.optional(),
    }).default({ status: 401 }),
    /**
     * Where the answer says whose key it is, such as `$.account.id` or `$.accounts[0]["account id"]`: a new key must have what
     * the key in use has. Default: not compared.
     */
    identity: z
      .string()
      .refine(isJsonPath, 'expected a path such as $.account.id, with .name, [0] or ["name"] for each step')
      .optional(),
    /** How long a new key may be refused before that counts. Default 30s. */
    activationWait: duration.default(parseDuration("30s")),
  }),
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

/** The host and port of a request. */
export const hostOf = ({ request: text }: { readonly request: string }): string =>
  text.replace(/^\w+ \w+:\/\/([^/?#]*).*$/, "$1");

/** A request as a step sends it. */
export const requestOf = ({
  request: text,
  headers,
  basicAuth,
  json: body,
  form,
  timeout,
}: ApiKeyConfig["verify"]) => ({
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
