import type { IssuedKind } from "../issued-key/issued-kind";
import type { CustomConfig } from "./schema";

/** Credentials that commands of the user's own make, prove and end. */
export const customKind: IssuedKind<CustomConfig> = {
  referenceOf: ({ name: secretName, fields, commands, variables, directory, timeout }) => ({
    commands: { secretName, fields, commands, variables, timeout, ...(directory === undefined ? {} : { directory }) },
  }),
  kept: () => [],
  waits: ({ wait }) => ({ works: wait, refused: wait }),
};
