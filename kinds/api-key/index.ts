import type { ApiKeyConfig } from "../../config";
import type { KeySeen } from "../issuer/previous-key";
import { suppliedRules } from "../issuer/supplied-rules";
import type { Kind } from "../kind";
import { apiKeyAsks } from "./asks";
import { operations } from "./operations";
import { apiKeys } from "./supplied";

/** A key of any issuer, which the operator makes there: a new label is what rotates. */
export const apiKey: Kind<ApiKeyConfig, KeySeen> = {
  asks: apiKeyAsks,
  ...suppliedRules(apiKeys, apiKeyAsks),
  declare: async (secret, stack, seen) => (await import("./declare")).declareApiKey(secret, stack, seen),
  operations,
};
