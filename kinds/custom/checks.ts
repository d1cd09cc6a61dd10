import type { ConfigPart } from "../../core/config-part";
import { documentProblems, keyDocument } from "../../core/document-settings";
import { adoptedProblems } from "../issued-key/checks";
import { fieldProblems, fieldsInStore } from "../issuer/checks";
import { type CustomConfig, customSchema } from "./schema";
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
    ...adoptedProblems(config, placed, placed.secret.fields),
    ...documentProblems(placed.index, placed.secret, keyDocument(placed.secret.fields)),
  ],
  checksTogether: [],
};
