export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Every text in a document that is not empty. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** A list of objects that all match, or one such object, as a list; undefined for anything else. */
export function objectsThat(matches: (one: Json) => boolean, document: unknown): readonly Json[] | undefined {
  const all = Array.isArray(document) ? document : [document];
  return all.length > 0 && all.every((one): one is Json => isObject(one) && matches(one)) ? all : undefined;
}
