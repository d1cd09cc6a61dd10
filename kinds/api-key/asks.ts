import type { ApiKeyConfig } from "../../config";
import { suppliedKeyAsks } from "../issuer/asks";
import { apiKeys } from "./supplied";

/** What the preflight of a key checks; what only its issuer knows, `verify-key` checks. */
export const apiKeyAsks = suppliedKeyAsks<ApiKeyConfig>(apiKeys.terms);
