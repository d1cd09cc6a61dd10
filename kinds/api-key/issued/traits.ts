import type { Traits } from "../../../core/traits";
import { apiKey } from "../traits";

/** A key that its issuer makes at this pipeline's request. */
export const issuedApiKey = { ...apiKey, suppliedBy: "pipeline" } as const satisfies Traits;
