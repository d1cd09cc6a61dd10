import type { IssuerReference } from "../issuer/connect";
import { type ApiKeyConfig, matchOf, requestOf } from "./schema";

/** A secret's issuer, as a step reaches it. */
export const referenceOf = ({ verify }: Pick<ApiKeyConfig, "verify">): IssuerReference => ({
  requests: {
    verify: {
      ...requestOf(verify),
      expect: matchOf(verify.expect),
      revoked: matchOf(verify.revoked),
      ...(verify.identity === undefined ? {} : { identity: verify.identity }),
    },
  },
});
