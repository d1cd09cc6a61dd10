import type { Json } from "./values";

/** A string that says something, or undefined. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A number, also from a config's string, or undefined. */
export function number(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : undefined;
}

/** A list of strings; anything else is the empty list. */
export function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
