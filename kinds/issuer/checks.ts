import type { ConfigPart, Placed } from "../../core/config-part";
import { type DocumentConfig, documentShape, keyDocument, keyPaths } from "../../core/document-settings";
import { oneOf, type Problem } from "../../core/problem";
import type { OfKind } from "../../core/traits";

/** A secret whose values the config names. */
export interface FieldsConfig extends DocumentConfig {
  readonly fields: readonly string[];
  readonly storePaths?: Readonly<Record<string, string>> | undefined;
}

/** The path of a field of a key in the store. */
export function fieldPath(
  { name, fields, storePaths }: Pick<FieldsConfig, "name" | "fields" | "storePaths">,
  field: string,
): string {
  const own = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return storePaths?.[field] ?? (fields.length === 1 ? name : `${name}_${own}`);
}

/** Where the store has the fields of a secret. */
export const fieldsInStore: Pick<ConfigPart<FieldsConfig & OfKind, never>, "paths" | "documents"> = {
  paths: (secret) =>
    keyPaths(
      secret,
      secret.fields.map((field) => ({ path: fieldPath(secret, field), setBy: `storePaths.${field}` })),
    ),
  documents: (secret) => {
    const shape = documentShape(secret, keyDocument(secret.fields));
    return shape === undefined ? [] : [shape];
  },
};

/** A path or a key of a document is given for what is no field. */
export function fieldProblems({ index, secret }: Placed<FieldsConfig>): Problem[] {
  const { fields, storePaths = {}, keys = {} } = secret;
  const given = { storePaths, keys };
  return (["storePaths", "keys"] as const).flatMap((at) =>
    Object.keys(given[at])
      .filter((field) => !fields.includes(field))
      .map((field) => ({
        path: ["secrets", index, at, field],
        message: `expected one of \`fields\` (${oneOf(fields)}), found another`,
      })),
  );
}
