import type { AlpacaKeyConfig, Config } from "../../config";
import { documentShape, hasValues } from "../../core/document-settings";
import type { ProbedLogins } from "../probes/order";
import { PAIR_DOCUMENT } from "./schema";
import { placesOf } from "./supplied";

/** The pair that the store holds, at this environment's API. */
export function probedPair(secret: AlpacaKeyConfig, config: Config): ProbedLogins {
  const shape = hasValues(secret) ? undefined : documentShape(secret, PAIR_DOCUMENT);
  const values = { keyId: secret.keyIdPath, secretKey: secret.secretKeyPath };
  return {
    reading: {
      defaults: {},
      ...(shape === undefined ? { values } : { document: { path: shape.path, keys: shape.keys } }),
    },
    target: { of: "alpaca", baseUrl: placesOf(config).baseUrl },
  };
}
