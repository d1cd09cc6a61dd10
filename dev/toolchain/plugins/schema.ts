// What bridged Terraform providers know about a resource's properties.
import { isObject, isUnknown, type Json, type Properties, plain, same, secret } from "./values";

/** One property of a resource. */
export interface Attribute {
  /** Left out: a single string, number or boolean. A set's order means nothing; a block is an object of its own. */
  kind?: "list" | "set" | "map" | "block";
  /** What it means not to be given. A zero (`false`, `0`, `""`) is not written into the inputs, as the real ones do. */
  default?: Json;
  required?: boolean;
  /** The server may fill it in. */
  computed?: boolean;
  /** Only an output. */
  output?: boolean;
  /** A change replaces the resource. */
  forceNew?: boolean;
  secret?: boolean;
  /** A missing name is made from the resource's. */
  autoName?: boolean;
  /** The properties of a block. */
  fields?: Schema;
  /** Two spellings with the same normal form are the same value. */
  normalize?(value: string): string;
}

export type Schema = Record<string, Attribute>;

/** Absent, null, or what a server answers for "nothing": all the same to Terraform's old SDK. */
export function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

/** The inputs with the defaults filled in, the names of those in `__defaults`, and secrets marked. */
export function withDefaults(schema: Schema, news: Properties, extra: Properties = {}): Properties {
  const inputs: Properties = {};
  const defaults = Object.keys(extra);
  for (const [key, value] of Object.entries({ ...news, ...extra })) {
    if (key !== "__defaults") inputs[key] = nestedDefaults(schema[key], value);
  }
  for (const [key, attribute] of Object.entries(schema)) {
    if (inputs[key] !== undefined || isEmpty(attribute.default)) continue;
    inputs[key] = attribute.default ?? null;
    defaults.push(key);
  }
  return { __defaults: defaults.sort(), ...markSecrets(schema, inputs) };
}

function nestedDefaults(attribute: Attribute | undefined, value: Json): Json {
  if (attribute?.kind !== "block" || attribute.fields === undefined) return value;
  const block = plain(value);
  return isObject(block) ? withDefaults(attribute.fields, block) : value;
}

/** Marks what the schema says is secret, even if it is empty, as the real plugins do. */
export function markSecrets(schema: Schema, values: Properties): Properties {
  const marked: Properties = {};
  for (const [key, value] of Object.entries(values)) {
    const attribute = schema[key];
    const inner = attribute?.fields && isObject(value) ? markSecrets(attribute.fields, value) : value;
    marked[key] = attribute?.secret ? secret(inner) : inner;
  }
  return marked;
}

/** Whether a value in the state and a value in the program mean the same. */
export function equivalent(attribute: Attribute, olds: Json | undefined, news: Json | undefined): boolean {
  if (isEmpty(olds) && isEmpty(news)) return true;
  if (isUnknown(news)) return false;
  if (attribute.kind === "set" && Array.isArray(olds) && Array.isArray(news)) {
    return same([...olds].sort(), [...news].sort());
  }
  if (attribute.fields !== undefined && isObject(olds) && isObject(news)) {
    return Object.entries(attribute.fields).every(([key, field]) => {
      const wanted = news[key] ?? field.default ?? (field.computed ? olds[key] : null);
      return equivalent(field, olds[key], wanted);
    });
  }
  const { normalize } = attribute;
  if (normalize !== undefined && typeof olds === "string" && typeof news === "string") {
    return normalize(olds) === normalize(news);
  }
  return same(olds, news);
}
