import type { ApiKeyConfig } from "../../config";
import { issuedPhases } from "../issuer/phases";
import { suppliedOperations } from "../issuer/supplied-operations";
import type { KindOperations } from "../kind-operations";
import { apiKeyPhases } from "./phases";
import { apiKeys } from "./supplied";

/** A key that only the operator can make, on its issuer's pages. */
export const operations = {
  phases: [issuedPhases, apiKeyPhases],
  supply: {
    command: (secret) => `key add ${secret}`,
    how: "Make a new key on its issuer's pages and add it.",
    ending: {
      title: "delete the old key",
      text: (generation) =>
        `Delete the key before generation ${generation} on its issuer's pages; the next run confirms that it is refused.`,
    },
  },
  adoption:
    "a supplied key is no value to adopt: the config has the key in use; one that was written into the store by hand is supplied under a new label (docs/api-key.md)",
  ...suppliedOperations(apiKeys),
} as const satisfies KindOperations<ApiKeyConfig>;
