import { connectIssuer } from "../issuer/connect";
import type { KnownStack, LeakedParts, LeakTried } from "../kind-operations";
import { referenceOf } from "./reference";
import type { CustomConfig } from "./schema";

/** Tries values that leaked; undefined if they are not all there. */
export async function tryLeaked(
  _: KnownStack,
  secret: CustomConfig,
  { parts }: LeakedParts,
): Promise<LeakTried | undefined> {
  if (!secret.fields.every((field) => parts[field] !== undefined)) return undefined;
  const { answer, evidence } = await connectIssuer(referenceOf(secret)).verify(parts, { limit: 10_000 });
  return { answer, evidence };
}
