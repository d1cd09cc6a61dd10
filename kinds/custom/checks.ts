import type { ConfigPart, Placed } from "../../core/config-part";
import { documentProblems, documentShape, keyDocument, keyPaths } from "../../core/document-settings";
import { oneOf, type Problem } from "../../core/problem";
import { fieldPath } from "../api-key/schema";
import { adoptedValues, type CustomConfig, customSchema } from "./schema";
import { custom } from "./traits";

/** The part of the config that the checks read. */
export interface Checked {
  readonly adopted: Readonly<Record<string, string>>;
}

/** Credentials of the user's own commands in the config. */
export const customInConfig: ConfigPart<CustomConfig, Checked> = {
  traits: custom,
  schema: customSchema,
  paths: (secret) =>
    keyPaths(
      secret,
      secret.fields.map((field) => ({ path: fieldPath(secret, field), setBy: `storePaths.${field}` })),
    ),
  documents: (secret) => {
    const shape = documentShape(secret, keyDocument(secret.fields));
    return shape === undefined ? [] : [shape];
  },
  addresses: () => [],
  check: (config, placed) => [
    ...fieldChecks(placed),
    ...adoptedChecks(config, placed),
    ...documentProblems(placed.index, placed.secret, keyDocument(placed.secret.fields)),
  ],
  checksTogether: [],
};

function fieldChecks({ index, secret: { fields, storePaths = {}, keys = {} } }: Placed<CustomConfig>): Problem[] {
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

function adoptedChecks({ adopted }: Checked, { secret: { name, fields } }: Placed<CustomConfig>): Problem[] {
  const text = adopted[name];
  if (text === undefined || adoptedValues(fields, text) !== undefined) return [];
  const message = `expected JSON with the values in use, {${fields.map((field) => `"${field}":"..."`).join(",")}}, found another text`;
  return [{ path: ["adopted", name], message }];
}
