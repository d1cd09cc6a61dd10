/** A field of a JSON object, by its own name or else by its path with dots; undefined if there is none. */
export function valueAt(object: Readonly<Record<string, unknown>>, field: string): unknown {
  if (Object.hasOwn(object, field)) return object[field];
  return field.split(".").reduce<unknown>(below, object);
}

const below = (at: unknown, key: string): unknown =>
  typeof at === "object" && at !== null && !Array.isArray(at) && Object.hasOwn(at, key)
    ? (at as Record<string, unknown>)[key]
    : undefined;

/** A string, or what opens, closes and ends. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * Whether the field, or the first part of its path, occurs once in the outermost object. `JSON.parse` silently takes the
 * last of several.
 *
 * @param text JSON that was parsed before.
 */
export function isSoleKey(text: string, field: string): boolean {
  const names = [field, field.split(".")[0]];
  let [depth, count] = [0, 0];
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (token === ":" && depth === 1 && names.includes(JSON.parse(last))) count++;
    last = token;
  }
  return count <= 1;
}
