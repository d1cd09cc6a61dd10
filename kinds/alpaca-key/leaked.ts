import type { AlpacaKeyConfig, KeyPair } from "../../config";
import type { KnownStack, LeakedParts, LeakTried } from "../kind-operations";
import { seePrevious } from "./grace";
import { placesOf } from "./previous-keys";

/**
 * Tries a pair that leaked, also by one half if the config has the other; undefined if it has not. A 401 says that it is gone
 * only if Alpaca takes another pair at that moment, and a 403 is no end.
 */
export async function tryLeakedPair(
  { config }: KnownStack,
  secret: AlpacaKeyConfig,
  { parts: { keyId, secretKey } }: LeakedParts,
): Promise<LeakTried | undefined> {
  const { current, previous } = config.alpacaKeys[secret.name] ?? {};
  const known = [current, previous].filter((pair) => pair !== undefined);
  const pair = pairIn(known, { keyId, secretKey });
  if (pair === undefined) return undefined;
  const others = known.filter((other) => other.keyId !== pair.keyId);
  let because = "";
  for (const other of others.length === 0 ? [undefined] : others) {
    const seen = await seePrevious(placesOf(config), pair, other);
    if (seen.previous === "alive") return { answer: "works", evidence: "Alpaca answers 200" };
    if (seen.previous === "unknown") because = seen.because;
    else return { answer: "refused", evidence: "Alpaca answers 401, and 200 to another pair" };
  }
  return { answer: "unknown", evidence: because };
}

function pairIn(known: readonly KeyPair[], { keyId, secretKey }: Partial<KeyPair>): KeyPair | undefined {
  if (keyId !== undefined && secretKey !== undefined) return { label: "the leaked pair", keyId, secretKey };
  return known.find((pair) => pair.keyId === keyId || pair.secretKey === secretKey);
}
