import type { PropertyChange } from "./provider";
import { isObject, type Json, same } from "./values";

/** Where two values differ, by property path (`environment.X`, `triggers[0]`), down to the deepest difference. */
export function differences(
  olds: Json | undefined,
  news: Json | undefined,
  path: string,
): Record<string, PropertyChange> {
  if (same(olds ?? null, news ?? null)) return {};
  if (olds === undefined || olds === null) return { [path]: "ADD" };
  if (news === undefined || news === null) return { [path]: "DELETE" };
  if (Array.isArray(olds) && Array.isArray(news)) {
    const indices = [...Array(Math.max(olds.length, news.length)).keys()];
    return Object.assign({}, ...indices.map((i) => differences(olds[i], news[i], `${path}[${i}]`)));
  }
  if (isObject(olds) && isObject(news)) {
    const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
    return Object.assign({}, ...keys.map((key) => differences(olds[key], news[key], joinPath(path, key))));
  }
  return { [path]: "UPDATE" };
}

/** The path of a key inside an object at `path`. */
export function joinPath(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
