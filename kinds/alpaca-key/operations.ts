import type { AlpacaKeyConfig } from "../../config";
import { issuedPhases } from "../issuer/phases";
import { suppliedOperations } from "../issuer/supplied-operations";
import type { KindOperations } from "../kind-operations";
import { alpacaKeyPhases } from "./phases";
import { alpacaPairs } from "./supplied";

/** A key pair that only the operator can make, on Alpaca's dashboard. */
export const operations = {
  phases: [issuedPhases, alpacaKeyPhases],
  supply: {
    command: () => "alpaca add-key",
    how: "Create a new key on the dashboard and add it.",
    ending: {
      title: "delete the old key",
      text: (generation) =>
        `Delete the key before generation ${generation} on Alpaca's dashboard; the next run confirms that it answers 401.`,
    },
  },
  adoption:
    "a key pair is no value to adopt: the config has the pair in use; one that was written into the store by hand is supplied with `rotation alpaca add-key`",
  ...suppliedOperations(alpacaPairs),
} as const satisfies KindOperations<AlpacaKeyConfig>;
