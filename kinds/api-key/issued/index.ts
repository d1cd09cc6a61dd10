import { issuedAsks } from "../../issued-key/asks";
import { issuedOperations } from "../../issued-key/operations";
import { issuedRules } from "../../issued-key/rules";
import type { Kind } from "../../kind";
import type { IssuedApiKeyConfig } from "../schema";
import { issuedApiKeys } from "./issued";

/** A key of any issuer, which makes it at this pipeline's request. */
export const issuedApiKey: Kind<IssuedApiKeyConfig, object> = {
  asks: issuedAsks,
  ...issuedRules,
  declare: async (secret, stack) => (await import("./declare")).declareIssuedApiKey(secret, stack),
  operations: issuedOperations(issuedApiKeys, "docs/api-key.md"),
};
