import type { IssuerReference } from "../issuer/connect";
import { type ApiKeyConfig, matchOf, requestOf } from "./schema";

type Verified = Pick<ApiKeyConfig, "verify">;

/** The request that proves a key. */
export const verifyRequest = ({ verify }: Verified) => ({
  ...requestOf(verify),
  expect: matchOf(verify.expect),
  revoked: matchOf(verify.revoked),
  ...(verify.identity === undefined ? {} : { identity: verify.identity }),
});

/** The issuer of a key that the operator supplies, as a step reaches it. */
export const referenceOf = (secret: Verified): IssuerReference => ({ requests: { verify: verifyRequest(secret) } });
