import { jsonMembers, jsonObject } from "./json-members";
import { fieldsIn, rendered, type Scalar } from "./template";

/**
 * The shape of one JSON document in the store: which keys are ours, each with its template. Only the credential's own
 * fields are open in it. It holds no secret, and the stack's outputs keep it.
 */
export interface DocumentShape {
  readonly path: string;
  readonly keys: Readonly<Record<string, Scalar>>;
}

/** A value of a document, or one that is known later. */
export interface Field<V> {
  readonly value: V;
  /** Set if it is no secret and may be shown in messages. */
  readonly public?: true;
}

export type Fields<V> = Readonly<Record<string, Field<V>>>;

/** The keys of a shape whose template is one field alone, such as `{password}`. */
export const keysFor = ({ keys }: DocumentShape, field: string): string[] =>
  Object.keys(keys).filter((key) => keys[key] === `{${field}}`);

/**
 * The keys of a document for one credential.
 *
 * @param open the credential's fields that are no secret, such as its user name
 * @param secret gives the text of a template that holds a secret field
 */
export function fieldsOf<V>(
  { keys }: DocumentShape,
  open: Readonly<Record<string, string>>,
  secret: (template: Scalar) => V,
): Fields<V | Scalar> {
  return Object.fromEntries(
    Object.entries(keys).map(([key, template]): [string, Field<V | Scalar>] =>
      fieldsIn(template).every((field) => Object.hasOwn(open, field))
        ? [key, { value: rendered(template, open), public: true }]
        : [key, { value: secret(template) }],
    ),
  );
}

/** What this stack keeps in a document, for one credential: {@link fieldsOf}. @param removed keys that were ours */
export const documentEntry = <V>(
  shape: DocumentShape,
  removed: readonly string[] | undefined,
  open: Readonly<Record<string, string>>,
  secret: (template: Scalar) => V,
) => ({
  path: shape.path,
  fields: fieldsOf(shape, open, secret),
  ...(removed === undefined ? {} : { removed }),
});

/** A shape as the stack's outputs keep it, with the one before it, which the store may still hold. */
export interface KeptShape extends DocumentShape {
  /** Whether the store had single values beside the document. */
  readonly beside?: true;
  readonly former?: DocumentShape;
}

/** The shape that an update writes, then the one that the store may hold until then. Only one of the same path counts. */
export function shapesOf(
  now: DocumentShape,
  kept: KeptShape | undefined,
): readonly [DocumentShape, ...DocumentShape[]] {
  if (kept === undefined || kept.path !== now.path) return [now];
  const { former, path, keys } = kept;
  const before = isSame(keys, now.keys) ? former : { path, keys };
  return before === undefined ? [now] : [now, sorted(before)];
}

/** What the stack's outputs keep of these shapes. @param beside whether the store has single values too */
export const keptShape = ([now, former]: readonly [DocumentShape, ...DocumentShape[]], beside: boolean): KeptShape => ({
  ...now,
  ...(beside ? { beside } : {}),
  ...(former === undefined ? {} : { former }),
});

/** Outputs come back with their keys in another order. */
const sorted = ({ path, keys }: DocumentShape): DocumentShape => ({
  path,
  keys: Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))),
});

const isSame = (one: DocumentShape["keys"], two: DocumentShape["keys"]) =>
  JSON.stringify(sorted({ path: "", keys: one })) === JSON.stringify(sorted({ path: "", keys: two }));

/** The value at a key of a document, if it is a text, a number or a truth value. @param json the text of an object */
export function scalarAt(json: string, key: string): Scalar | undefined {
  const text = jsonMembers(json).get(key);
  const value: unknown = text === undefined ? undefined : JSON.parse(text);
  return ["string", "number", "boolean"].includes(typeof value) ? (value as Scalar) : undefined;
}

/** Whether a document has exactly these values, and none of the keys that were ours. */
export const holdsFields = (json: string, fields: Fields<Scalar>, removed: readonly string[]): boolean =>
  Object.entries(fields).every(([key, { value }]) => scalarAt(json, key) === value) &&
  !removed.some((key) => jsonMembers(json).has(key));

/**
 * Whether a document is what this credential leaves there, as far as the document has our keys: a key that is missing lost
 * nothing, and a port may be a number or a text. A secret must be among the keys.
 */
export function isOfFields(json: string, fields: Fields<Scalar>): boolean {
  const members = jsonMembers(json);
  const there = Object.entries(fields).filter(([key]) => members.has(key));
  return (
    there.some(([, field]) => field.public !== true) &&
    there.every(([key, { value }]) => sameText(String(scalarAt(json, key)), String(value)))
  );
}

/** Whether two texts are the same, or addresses that differ in how a character is encoded alone. */
export const sameText = (one: string, two: string): boolean =>
  one === two || (isAddress(one) && decoded(one) === decoded(two));

const isAddress = (text: string) => /^[a-z][a-z0-9+.:-]*:\/\//i.test(text);

/** What is encoded in each part of an address; what separates them stays. */
const decoded = (text: string) =>
  text
    .split(/([/:@?&=#])/)
    .map((part, index) => (index % 2 === 1 ? part : encodeURIComponent(unescaped(part))))
    .join("");

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A document with our keys set, those that were ours removed, and all others unchanged, byte for byte. */
export function mergedDocument(json: string | undefined, fields: Fields<Scalar>, removed: readonly string[]): string {
  const members = json === undefined ? new Map<string, string>() : jsonMembers(json);
  for (const key of removed) members.delete(key);
  for (const [key, { value }] of Object.entries(fields)) members.set(key, JSON.stringify(value));
  return jsonObject(members);
}
