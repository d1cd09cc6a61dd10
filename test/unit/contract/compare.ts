import { isObject, type Json, type Properties } from "../../../dev/toolchain/plugins/values";

/** Where an answer differs from the recorded one. */
export interface Difference {
  path: string;
  recorded: Json | undefined;
  actual: Json | undefined;
}

/** A value that is new each time: both sides have to look like this, and be of the same length unless said otherwise. */
export interface Volatile {
  path: RegExp;
  like: RegExp;
  anyLength?: boolean;
}

/** An answer with the properties that differ in one order: a plugin lists them in another each time. */
export function unordered(response: Properties): Properties;
export function unordered(response: Properties | undefined): Properties | undefined;
export function unordered(response: Properties | undefined): Properties | undefined {
  if (response === undefined) return undefined;
  const sorted = ["diffs", "replaces"].flatMap((key) => {
    const list = response[key];
    return Array.isArray(list) ? [[key, [...list].sort()]] : [];
  });
  return { ...response, ...Object.fromEntries(sorted) };
}

/** Every place where two answers differ, except volatile values of the right form. */
export function compare(
  recorded: Json | undefined,
  actual: Json | undefined,
  rules: Volatile[],
  path = "",
): Difference[] {
  if (isObject(recorded) && isObject(actual)) {
    const keys = [...new Set([...Object.keys(recorded), ...Object.keys(actual)])];
    return keys.flatMap((key) => compare(recorded[key], actual[key], rules, path === "" ? key : `${path}.${key}`));
  }
  if (Array.isArray(recorded) && Array.isArray(actual) && recorded.length === actual.length) {
    return recorded.flatMap((item, i) => compare(item, actual[i], rules, `${path}[${i}]`));
  }
  if (JSON.stringify(recorded) === JSON.stringify(actual) || isVolatile(recorded, actual, rules, path)) return [];
  return [{ path, recorded, actual }];
}

function isVolatile(recorded: Json | undefined, actual: Json | undefined, rules: Volatile[], path: string): boolean {
  if (typeof recorded !== "string" || typeof actual !== "string") return false;
  return rules.some(
    ({ path: where, like, anyLength }) =>
      where.test(path) &&
      like.test(recorded) &&
      like.test(actual) &&
      (anyLength === true || recorded.length === actual.length),
  );
}
