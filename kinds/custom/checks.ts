import type { ConfigPart, Placed } from "../../core/config-part";
import { documentProblems, keyDocument } from "../../core/document-settings";
import type { Problem } from "../../core/problem";
import { fieldProblems, fieldsInStore } from "../issuer/checks";
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
  ...fieldsInStore,
  addresses: () => [],
  check: (config, placed) => [
    ...fieldProblems(placed),
    ...adoptedChecks(config, placed),
    ...documentProblems(placed.index, placed.secret, keyDocument(placed.secret.fields)),
  ],
  checksTogether: [],
};

function adoptedChecks({ adopted }: Checked, { secret: { name, fields } }: Placed<CustomConfig>): Problem[] {
  const text = adopted[name];
  if (text === undefined || adoptedValues(fields, text) !== undefined) return [];
  const message = `expected JSON with the values in use, {${fields.map((field) => `"${field}":"..."`).join(",")}}, found another text`;
  return [{ path: ["adopted", name], message }];
}
