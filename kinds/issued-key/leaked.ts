import { connectIssuer } from "../issuer/connect";
import type { KnownStack, LeakedParts, LeakTried } from "../kind-operations";
import type { IssuedConfig, IssuedKind } from "./issued-kind";

/** Tries values that leaked; undefined if they are not all there. */
export async function tryLeaked<S extends IssuedConfig>(
  kind: IssuedKind<S>,
  _: KnownStack,
  secret: S,
  { parts }: LeakedParts,
): Promise<LeakTried | undefined> {
  if (!secret.fields.every((field) => parts[field] !== undefined)) return undefined;
  const { answer, evidence } = await connectIssuer(kind.referenceOf(secret)).verify(parts, { limit: 10_000 });
  return { answer, evidence };
}
