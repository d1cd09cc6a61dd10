import { oneOf } from "./problem";

/** A value of a JSON document that holds no other values. */
export type Scalar = string | number | boolean;

/** How a field is encoded in a template; the names of the filters. */
const ENCODE = {
  /** RFC 3986: for every part of a URL. */
  url: (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, hex),
  /** libpq's `keyword='value'`. */
  libpq: (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`,
  /** Inside a text of JSON. */
  json: (text: string) => JSON.stringify(text).slice(1, -1),
  /** As it is. */
  raw: (text: string) => text,
} as const satisfies Readonly<Record<string, (text: string) => string>>;

type Filter = keyof typeof ENCODE;

const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** The inverse of {@link ENCODE}. */
const DECODE: Readonly<Record<Filter, (text: string) => string>> = {
  url: decodeURIComponent,
  libpq: (text) => text.replace(/^'(.*)'$/s, "$1").replace(/\\([\\'])/g, "$1"),
  json: (text) => String(JSON.parse(`"${text}"`)),
  raw: (text) => text,
};

/** A part of a template: literal text, or a field. */
type Part = string | { readonly field: string; readonly filter: Filter | undefined };

/** `{{`, `}}`, `{field}`, `{field|filter}`, or a brace that is none of these. */
const TOKEN = /\{\{|\}\}|\{([^{}|]*)(?:\|([^{}]*))?\}|[{}]/g;

/**
 * The parts of a template.
 *
 * @throws TemplateError that names the valid fields or filters
 */
function partsOf(template: string, fields: readonly string[] | undefined): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const found of template.matchAll(TOKEN)) {
    const [token, field, filter] = found;
    parts.push(template.slice(at, found.index));
    at = found.index + token.length;
    if (token === "{{" || token === "}}") parts.push(token.slice(1));
    else if (field === undefined) throw new TemplateError(`expected {{ or }} for a brace, found a single ${token}`);
    else if (fields !== undefined && !fields.includes(field))
      throw new TemplateError(`expected a field (${oneOf(fields)}), found {${field}}`);
    else if (filter !== undefined && !Object.hasOwn(ENCODE, filter))
      throw new TemplateError(`expected a filter (${oneOf(Object.keys(ENCODE))}), found {${field}|${filter}}`);
    else parts.push({ field, filter: filter as Filter | undefined });
  }
  return [...parts, template.slice(at)].filter((part) => part !== "");
}

/** What is wrong with a template. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** The fields that a template contains. @throws TemplateError @param known default: every name */
export const fieldsIn = (template: Scalar, known?: readonly string[]): string[] =>
  typeof template === "string"
    ? partsOf(template, known).flatMap((part) => (typeof part === "string" ? [] : [part.field]))
    : [];

/** How a field without a filter is encoded: for the place that the template itself shows. */
function placeOf(template: string): Filter {
  if (/^[a-z][a-z0-9+.:-]*:\/\//i.test(template)) return "url";
  return /^\s*[a-z_]+\s*=/i.test(template) ? "libpq" : "raw";
}

/** Whether a field is the host of a URL, where an IPv6 address has brackets. */
const isUrlHost = (before: Part | undefined, field: string) =>
  field === "host" && typeof before === "string" && /(:\/\/|@|,)$/.test(before);

/**
 * A template with these fields filled in, each encoded for its place; other fields stay. A template that is one field and
 * nothing else becomes that field's value, so a number stays a number.
 *
 * @param given the place, if it is known. Default: what the template itself shows
 */
export function filled(template: Scalar, values: Readonly<Record<string, string | number>>, given?: Filter): Scalar {
  if (typeof template !== "string") return template;
  const parts = partsOf(template, undefined);
  const [only] = parts;
  if (parts.length === 1 && typeof only === "object" && only.filter === undefined) {
    const value = values[only.field];
    return typeof value === "string" ? literal(value) : (value ?? template);
  }
  const place = given ?? placeOf(template);
  return parts.map((part, index) => partText(part, parts[index - 1], place, values)).join("");
}

function partText(
  part: Part,
  before: Part | undefined,
  place: Filter,
  values: Readonly<Record<string, string | number>>,
): string {
  if (typeof part === "string") return literal(part);
  const { field, filter = place } = part;
  // What stays is encoded the same way later, whatever the text around it looks like by then.
  if (!Object.hasOwn(values, field)) return `{${field}|${filter}}`;
  const text = String(values[field]);
  if (filter === "url" && text.includes(":") && isUrlHost(before, field)) return literal(`[${text}]`);
  return literal(ENCODE[filter](text));
}

/** Text that stands for itself in a template. */
const literal = (text: string) => text.replace(/[{}]/g, "$&$&");

/** The value of a template whose fields are all given. @param place default: what the template itself shows */
export function rendered(template: Scalar, values: Readonly<Record<string, string | number>>, place?: Filter): Scalar {
  const text = filled(template, values, place);
  return typeof text === "string" ? text.replace(/\{\{|\}\}/g, (pair) => pair.slice(1)) : text;
}

/** The fields that a text was made of by a template ({@link rendered}); undefined if it was not made by it. */
export function fieldsFrom(template: Scalar, text: string): Readonly<Record<string, string>> | undefined {
  if (typeof template !== "string") return undefined;
  const parts = partsOf(template, undefined);
  const pattern = parts.map((part) =>
    typeof part === "string" ? part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") : "(.*?)",
  );
  const found = new RegExp(`^${pattern.join("")}$`, "s").exec(text);
  if (found === null) return undefined;
  const fields = parts.filter((part) => typeof part === "object");
  const place = fields.length === parts.length ? "raw" : placeOf(template);
  try {
    return Object.fromEntries(
      fields.map(({ field, filter = place }, index) => [field, DECODE[filter](found[index + 1] ?? "")]),
    );
  } catch {
    return undefined;
  }
}
