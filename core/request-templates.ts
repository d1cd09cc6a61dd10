import type { Json } from "./json-path";
import { fieldsIn } from "./template";

/** The parts of a request that hold templates. */
export interface RequestTemplates {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly basicAuth?: string | undefined;
  readonly json?: Json | undefined;
  readonly form?: Readonly<Record<string, string>> | undefined;
}

/** The fields in all templates of a request. @throws TemplateError @param known default: every name */
export function fieldsOf(
  { url, headers, basicAuth = "", json = null, form = {} }: RequestTemplates,
  known?: readonly string[],
): string[] {
  const texts = [url, ...Object.values(headers), basicAuth, ...Object.values(form)];
  mapTexts(json, (text) => {
    texts.push(text);
    return text;
  });
  return texts.flatMap((template) => fieldsIn(template, known));
}

/** JSON with each of its texts changed; keys stay. */
export function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((part: Json) => mapTexts(part, change));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mapTexts(part as Json, change)]));
}
