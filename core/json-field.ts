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
 * Whether the field that {@link valueAt} takes is the only one: its own name, or else each part of its path. `JSON.parse`
 * silently takes the last of several.
 *
 * @param text JSON that was parsed before.
 */
export function isSoleKey(text: string, field: string): boolean {
  const parts = field.split(".");
  const counts = parts.map(() => 0);
  const path: string[] = [];
  let [depth, named, last] = [0, 0, ""];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (token === ":") {
      path[depth - 1] = JSON.parse(last);
      path.length = depth;
      if (depth === 1 && path[0] === field) named++;
      if (parts.slice(0, depth).every((part, index) => path[index] === part) && depth <= parts.length)
        counts[depth - 1] = (counts[depth - 1] ?? 0) + 1;
    } else last = token;
  }
  return named > 0 ? named === 1 : counts.every((count) => count <= 1);
}
