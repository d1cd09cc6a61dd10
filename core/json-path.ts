import * as z from "zod";

/** `$`, then `.name`, `["any name"]` or `[0]`, each once or more. A name in quotes is a text of JSON. */
const FORM =
  /^\$(?:\.[A-Za-z_][\w-]*|\["(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))+"\]|\[(?:0|[1-9]\d{0,8})\])+$/u;
const STEP = /\.([A-Za-z_][\w-]*)|\[("(?:[^"\\]|\\.)+"|\d+)\]/g;

/** Whether a text is a path that {@link valueAtPath} understands: `$.account.id`, `$.keys[0]["api key"]`. */
export const isJsonPath = (path: string): boolean => FORM.test(path);

/** The value at a path of parsed JSON, such as `$.account.id`; undefined if there is none. Only own keys count. */
export function valueAtPath(value: unknown, path: string): unknown {
  return [...path.matchAll(STEP)].reduce<unknown>((at, [, name, quoted]) => {
    const key = name ?? (JSON.parse(quoted ?? "0") as string | number);
    if (typeof at !== "object" || at === null || Array.isArray(at) !== (typeof key === "number")) return undefined;
    return Object.hasOwn(at, key) ? (at as Record<string | number, unknown>)[key] : undefined;
  }, value);
}

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** JSON of any shape; a config and a step's input hold nothing else. */
export const anyJson = z.custom<Json>((value) => value !== undefined, "expected JSON");

/** Whether a value holds all of another one: each key of an object and each entry of a list; the rest does not matter. */
export function holdsJson(value: unknown, wanted: Json): boolean {
  if (typeof wanted !== "object" || wanted === null) return value === wanted;
  if (typeof value !== "object" || value === null || Array.isArray(value) !== Array.isArray(wanted)) return false;
  return Object.entries(wanted).every(
    ([key, part]) => Object.hasOwn(value, key) && holdsJson((value as Record<string, unknown>)[key], part as Json),
  );
}
