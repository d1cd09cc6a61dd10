import * as z from "zod";
import type { DocumentShape } from "./document";
import { oneOf, type Problem } from "./problem";
import { secretName, text } from "./schema-parts";
import { fieldsIn, filled, type Scalar, TemplateError } from "./template";

/** A key of a JSON document. */
const key = text(/^[^\s`{}]{1,100}$/, "expected a key without spaces and braces");

/** The keys of the config that say in which shape the store keeps a secret, of every kind that is written into the store. */
export const documentSettings = {
  /**
   * `value` (default): a path for each part, with one value each. `json`: one JSON document with keys of your choice, which
   * is written at once. `both`: the document beside the values, for as long as services move from one to the other.
   */
  format: z.enum(["value", "json", "both"]).optional(),
  /** For json and both: the path of the document. Default: the secret's name. A change writes it to the new path. */
  path: secretName.optional(),
  /**
   * For json and both: further keys of the document, each with a fixed value or a template such as
   * `postgresql://{username}:{password}@{host}:{port}/{dbname}`. A change is written in the next update.
   */
  extras: z.record(key, z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** For json and both: keys that an earlier config of this stack wrote. They are removed from the document. */
  removedKeys: z.array(key).min(1).optional(),
};

/** The name of a part's key. */
export const documentKey = key;

/** The part of a secret's config that this reads. */
export interface DocumentConfig {
  readonly name: string;
  readonly format?: "value" | "json" | "both" | undefined;
  readonly path?: string | undefined;
  readonly keys?: Readonly<Record<string, string | undefined>> | undefined;
  readonly extras?: Readonly<Record<string, Scalar>> | undefined;
  readonly removedKeys?: readonly string[] | undefined;
}

/** What a kind knows of its documents. */
export interface DocumentKind {
  /** The parts of the credential, which are the fields of templates and, unless the config says otherwise, the keys. */
  readonly parts: readonly string[];
  /** The parts without which the document is no credential. */
  readonly needed: readonly string[];
  /** The fields that the config itself gives. */
  readonly given: Readonly<Record<string, string | number>>;
}

/** Whether the store has a path with one value for each part. */
export const hasValues = ({ format }: Pick<DocumentConfig, "format">) => format !== "json";

/** Whether the store has a JSON document. */
export const hasDocument = ({ format }: Pick<DocumentConfig, "format">) => format === "json" || format === "both";

export const documentPath = ({ path, name }: Pick<DocumentConfig, "path" | "name">) => path ?? name;

/** What a document of a key can contain. */
export const keyDocument = (fields: readonly string[]): DocumentKind => ({ parts: fields, needed: fields, given: {} });

/** The paths of a key in the store, and the keys of the config that say so. @param values those of the single fields */
export const keyPaths = (
  secret: DocumentConfig,
  values: readonly { readonly path: string; readonly setBy: string }[],
) => [
  ...(hasDocument(secret) ? [{ path: documentPath(secret), setBy: "path" }] : []),
  ...(hasValues(secret) ? values : []),
];

/** The keys of the document by their templates, as the config has them. */
function templates({ keys, extras = {} }: DocumentConfig, { parts }: DocumentKind): Record<string, Scalar> {
  const named = keys === undefined ? parts.map((part) => [part, part] as const) : Object.entries(keys);
  const own = named.flatMap(([part, name]) => (name === undefined ? [] : [[name, `{${part}}`] as const]));
  return { ...Object.fromEntries(own), ...extras };
}

/** The shape of a secret's document, with all that the config gives filled in; undefined if it has none. */
export function documentShape(secret: DocumentConfig, kind: DocumentKind): DocumentShape | undefined {
  if (!hasDocument(secret)) return undefined;
  const keys = Object.entries(templates(secret, kind)).map(([name, template]) => [name, filled(template, kind.given)]);
  return { path: documentPath(secret), keys: Object.fromEntries(keys) };
}

/** Checks of what a secret's config says of its document. */
export function documentProblems(index: number, secret: DocumentConfig, kind: DocumentKind): Problem[] {
  const problem = (at: readonly string[], message: string): Problem => ({ path: ["secrets", index, ...at], message });
  if (!hasDocument(secret)) {
    const given = (["path", "keys", "extras", "removedKeys"] as const).filter((name) => secret[name] !== undefined);
    return given.map((name) => problem([name], "expected only with format json or both, found format value"));
  }
  const { keys, extras = {}, removedKeys = [] } = secret;
  const fields = [...kind.parts, ...Object.keys(kind.given)];
  const bad = Object.entries(extras).flatMap(([name, template]) => {
    const message = templateProblem(template, fields);
    return message === undefined ? [] : [problem(["extras", name], message)];
  });
  if (bad.length > 0) return bad;
  const all = templates(secret, kind);
  const names = Object.values(keys ?? kind.parts).filter((name) => name !== undefined);
  const twice = [
    ...Object.keys(extras).filter((name) => names.includes(name)),
    ...names.filter((name, at) => names.indexOf(name) !== at),
  ];
  const used = new Set(Object.values(all).flatMap((template) => fieldsIn(template)));
  const missing = kind.needed.filter((part) => !used.has(part));
  return [
    ...twice.map((name) => problem(["keys"], `expected each key once, found ${name} twice`)),
    ...missing.map((part) =>
      problem(
        ["keys"],
        `expected a key for ${part}, or {${part}} in a template of \`extras\`, found ${oneOf(Object.keys(all))}`,
      ),
    ),
    ...removedKeys
      .filter((name) => Object.hasOwn(all, name))
      .map((name) => problem(["removedKeys"], `expected keys that are no longer written, found ${name}, which is`)),
  ];
}

function templateProblem(template: Scalar, fields: readonly string[]): string | undefined {
  try {
    fieldsIn(template, fields);
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}
