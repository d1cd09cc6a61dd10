// Property values as they travel between the engine and a plugin: JSON in which a secret is a marked object
// and a value that is not known yet is a string reserved for it.
import struct from "google-protobuf/google/protobuf/struct_pb.js";

/** Any property value in its wire form. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A resource's inputs or outputs. */
export type Properties = Record<string, Json>;

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** "Not known before the update has run", in any place where a value is expected. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const unknowns = new Set<Json>([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

/** Whether a value is an object with keys, and neither null nor a list. */
export function isObject(value: Json | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value itself is unknown. */
export function isUnknown(value: Json | undefined): boolean {
  return value !== undefined && unknowns.has(value);
}

/** Whether a value is unknown or has something unknown inside. */
export function hasUnknown(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(hasUnknown);
  if (isObject(value)) return Object.values(value).some(hasUnknown);
  return isUnknown(value);
}

/** Whether a value is marked as secret. */
export function isSecret(value: Json | undefined): boolean {
  return isObject(value) && value[signatureKey] === secretSignature;
}

/** Marks a value as secret, an unknown one too: the engine encrypts it in the state and hides it in diffs. */
export function secret(value: Json): Json {
  return isSecret(value) ? value : { [signatureKey]: secretSignature, value };
}

/** The value without its secret marks, at every depth. */
export function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  if (value[signatureKey] === secretSignature) return plain(value.value ?? null);
  if (value[signatureKey] === outputSignature) return plain(value.value ?? UNKNOWN);
  return plainProperties(value);
}

/** `plain` for a whole set of properties. */
export function plainProperties(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, plain(value)]));
}

/** From the protocol's message; nothing becomes no properties. */
export function fromStruct(message: struct.Struct | undefined): Properties {
  return message === undefined ? {} : (message.toJavaScript() as Properties);
}

/** To the protocol's message. */
export function toStruct(properties: Properties): struct.Struct {
  return struct.Struct.fromJavaScript(properties);
}

/** Whether two values are the same, whatever the order of keys. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => same(a[key], b[key]));
  }
  return a === b;
}
