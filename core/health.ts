import { gunzipSync } from "node:zlib";
import { isSoleKey, valueAt } from "./json-field";
import { hostInUrl } from "./schema-parts";

/** What an HTTP answer must be to count as healthy. */
export interface HealthRule {
  /** The HTTP statuses that are accepted; empty: any 2xx. */
  readonly status: readonly number[];
  /** A field of the JSON answer, by its name or its path with dots; null: the body is not parsed as JSON. */
  readonly field: string | null;
  /** What `field` may be, compared as text. */
  readonly equals: readonly string[];
  /** What the whole body may be, without surrounding white space; null: not checked. */
  readonly text: readonly string[] | null;
}

/** Where a service's health is queried, and how the answer is judged. */
export type HealthProbe =
  | {
      readonly kind: "http";
      readonly url: string;
      readonly rule: HealthRule;
      /** Default `GET`. */
      readonly method?: string | undefined;
      /** A field of the JSON answer that is reported too, by its name or its path with dots. */
      readonly shows?: string | undefined;
    }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "command"; readonly command: string };

/** The probe with a host's address in place of `{address}`. */
export function probeAt(probe: HealthProbe, address: string): HealthProbe {
  const at = (text: string, there = address) => text.replaceAll("{address}", there);
  switch (probe.kind) {
    case "http":
      return { ...probe, url: at(probe.url, hostInUrl(address)) };
    case "tcp":
      return { ...probe, host: at(probe.host) };
    case "command":
      return { ...probe, command: at(probe.command) };
  }
}

/** What a probe found where the service runs. */
export interface ProbeAnswer {
  /** The HTTP status (0: none), or the exit status of the connection or of the command. */
  readonly code: number;
  readonly body: Buffer;
  /** What went wrong with the request itself, in the words of the client. */
  readonly error: string;
}

/** What {@link judge} finds. */
export interface Verdict {
  readonly healthy: boolean;
  /** `expected ..., found ...`: what was required and what came, whether healthy or not. */
  readonly why: string;
  /** The answer as it is shown to people, cut to a few hundred characters. */
  readonly answer: string;
  /** The top-level field `started_at`: it must differ after a restart. */
  readonly startedAt?: string;
  /** The top-level field `secrets_backend`. */
  readonly backend?: string;
  /** The field that the probe names (`shows`); undefined if the answer has no such field. */
  readonly shown?: string;
}

/** An answer is read up to this length, in bytes. */
export const LONGEST_BODY = 256 * 1024;

const SHOWN = 300;

/** Whether an answer is that of a healthy service. The only place where that is decided. */
export function judge(probe: HealthProbe, answer: ProbeAnswer): Verdict {
  return probe.kind === "http" ? judgeHttp(probe.rule, answer, probe.shows) : judgeExit(probe, answer);
}

/** An unhealthy answer, what was expected, and the config key that says so. */
export const illnessOf = (service: string, { answer, why }: Pick<Verdict, "answer" | "why">): string =>
  `${answer}; ${why} (set by services.${service}.healthy)`;

function judgeExit(probe: Exclude<HealthProbe, { kind: "http" }>, { code, body, error }: ProbeAnswer): Verdict {
  const said = [body.toString("utf8").trim(), error.trim()].filter((text) => text !== "").join("\n");
  const why =
    probe.kind === "tcp"
      ? `expected ${probe.host}:${probe.port} to take connections, found ${code === 0 ? "that it does" : said || "none"}`
      : `expected \`${probe.command}\` to end with status 0, found ${code === 124 ? "that it did not end in time" : code}`;
  return { healthy: code === 0, why, answer: cut(said || (code === 0 ? "ok" : `exit status ${code}`)) };
}

function judgeHttp(rule: HealthRule, answer: ProbeAnswer, shows: string | undefined): Verdict {
  const { code, error } = answer;
  if (code === 0) {
    const said = cut(error.trim()) || "no answer";
    return { healthy: false, why: `expected ${expectedOf(rule)}, found no answer`, answer: said };
  }
  const text = textOf(answer.body);
  const parsed = parse(text);
  const body = bodyFinding(rule, text, parsed);
  const healthy = statusFits(rule, code) && body.fits;
  const found = [`HTTP ${code}${code >= 300 && code < 400 ? " (a redirect, which is not followed)" : ""}`, body.found];
  return {
    healthy,
    why: `expected ${expectedOf(rule)}, found ${found.filter((part) => part !== "").join(" with ")}`,
    answer: `${cut(text.trim()) || "(an empty body)"} (HTTP ${code})`,
    ...named("startedAt", parsed, "started_at"),
    ...named("backend", parsed, "secrets_backend"),
    ...shownIn(parsed, shows),
  };
}

function shownIn(parsed: unknown, field: string | undefined): { readonly shown?: string } {
  const value = field !== undefined && isObject(parsed) ? valueAt(parsed, field) : undefined;
  return isScalar(value) ? { shown: cut(String(value)) } : {};
}

const statusFits = ({ status }: HealthRule, code: number) =>
  status.length === 0 ? code >= 200 && code < 300 : status.includes(code);

/** `HTTP 2xx with `status` healthy`: what an answer must be. */
export function expectedOf({ status, field, equals, text }: HealthRule): string {
  const code = `HTTP ${status.length === 0 ? "2xx" : status.join(" or ")}`;
  if (field !== null) return `${code} with \`${field}\` ${equals.join(" or ")}`;
  return text === null ? code : `${code} with the text ${text.join(" or ")}`;
}

interface Finding {
  readonly fits: boolean;
  readonly found: string;
}

function bodyFinding({ field, equals, text: texts }: HealthRule, text: string, parsed: unknown): Finding {
  if (field === null) {
    if (texts === null) return { fits: true, found: "" };
    return { fits: texts.includes(text.trim()), found: text.trim() === "" ? "an empty body" : "another text" };
  }
  if (text.trim() === "") return { fits: false, found: "an empty body" };
  if (!isObject(parsed)) return { fits: false, found: `${kindOf(parsed)} in place of a JSON object` };
  const value = valueAt(parsed, field);
  if (value === undefined) return { fits: false, found: `no \`${field}\` (its fields: ${namesOf(parsed)})` };
  if (!isScalar(value)) return { fits: false, found: `${kindOf(value)} as \`${field}\`` };
  // Which of the two is meant cannot be known.
  if (!isSoleKey(text, field)) return { fits: false, found: `\`${field}\` more than once` };
  return { fits: equals.includes(String(value)), found: `\`${field}\` ${String(value).slice(0, 60)}` };
}

/** Without a byte order mark; unpacked if a server compresses without having been asked to. */
function textOf(body: Buffer): string {
  let bytes = body;
  if (body[0] === 0x1f && body[1] === 0x8b) {
    try {
      bytes = gunzipSync(body, { maxOutputLength: LONGEST_BODY });
    } catch {
      return "(compressed, and not readable)";
    }
  }
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

const NOT_JSON = Symbol("not JSON");

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isScalar = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

function kindOf(value: unknown): string {
  if (value === NOT_JSON) return "text that is no JSON";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const namesOf = (value: object) => Object.keys(value).slice(0, 8).join(", ").slice(0, 120) || "none";

function named<Name extends string>(name: Name, parsed: unknown, key: string): { readonly [K in Name]?: string } {
  const value = isObject(parsed) && Object.hasOwn(parsed, key) ? parsed[key] : undefined;
  return (isScalar(value) ? { [name]: String(value) } : {}) as { readonly [K in Name]?: string };
}

/** Control characters would garble a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const cut = (text: string) => text.replace(/[\u0000-\u0008\u000B-\u001F\u007F]/g, "").slice(0, SHOWN);
