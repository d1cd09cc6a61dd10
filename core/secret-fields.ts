import * as z from "zod";

type Schema = z.core.$ZodType;

const marks = z.registry<{ readonly secret: true }>();

/**
 * Marks a field of a schema as a credential, here and nowhere else: its value is hidden in messages, logs, errors and audit
 * rows. What only names one (a path, a role, a key of an object) is never marked.
 */
export function secret<T extends z.ZodType>(schema: T): T {
  // A copy: the schema given may be shared with fields that are no secrets.
  const own = schema.clone();
  marks.add(own, { secret: true });
  return own;
}

/** Whether a field is marked itself. */
export const isSecret = (schema: Schema): boolean => marks.get(schema)?.secret === true;

/** The parts of a schema, one level down: the schemas below each key, and those that only wrap it. */
export interface Parts {
  /** Of an object, by key. */
  readonly keys: Readonly<Record<string, Schema>>;
  /** Of a list or a map: each entry's. */
  readonly entry: Schema | undefined;
  /** The same value's, beneath a default, a check or as one option of several. */
  readonly same: readonly Schema[];
}

/** Takes one level of a schema apart. */
export function partsOf(schema: Schema): Parts {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const none = { keys: {}, entry: undefined, same: [] };
  switch (def.type) {
    case "object":
      return { ...none, keys: def.shape };
    case "array":
      return { ...none, entry: def.element };
    case "record":
      return { ...none, entry: def.valueType };
    case "union":
      return { ...none, same: def.options };
    case "pipe":
      return { ...none, same: [def.in, def.out] };
    case "lazy":
      return { ...none, same: [def.getter()] };
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return { ...none, same: [def.innerType] };
    default:
      return none;
  }
}

/** Whether a schema contains a marked field. */
export function holdsSecrets(schema: Schema, seen = new Set<Schema>()): boolean {
  if (isSecret(schema)) return true;
  if (seen.has(schema)) return false;
  seen.add(schema);
  const { keys, entry, same } = partsOf(schema);
  const below = [...Object.values(keys), ...(entry === undefined ? [] : [entry]), ...same];
  return below.some((part) => holdsSecrets(part, seen));
}

/** The keys of an object that are secrets or hold some. */
export const keysWithSecrets = (shape: Readonly<Record<string, Schema>>): string[] =>
  Object.keys(shape).filter((key) => holdsSecrets(shape[key] as Schema));

/**
 * Every text in a marked field of a value, also if the value does not match its schema. An entry with `public: true` holds
 * none: a role's name is kept in the store like a password, and without it no message could say who cannot log in.
 */
export function secretsIn(schema: Schema, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (isSecret(schema)) return textsIn(value);
  const { keys, entry, same } = partsOf(schema);
  const beneath = same.flatMap((part) => secretsIn(part, value));
  if (typeof value !== "object") return same.length === 0 && holdsSecrets(schema) ? textsIn(value) : beneath;
  if ("public" in value && value.public === true) return [];
  const inEntries = entry === undefined ? [] : Object.values(value).flatMap((item) => secretsIn(entry, item));
  const inKeys = Object.entries(value).flatMap(([key, item]) =>
    Object.hasOwn(keys, key) ? secretsIn(keys[key] as Schema, item) : [],
  );
  return [...new Set([...beneath, ...inEntries, ...inKeys])];
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
