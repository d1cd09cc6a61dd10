import type { KnownStack, LeakedParts, LeakTried } from "../kind-operations";
import type { Values } from "./issuer";
import { seePrevious } from "./previous-key";
import type { IssuedSecret, SuppliedKey, SuppliedKind } from "./supplied-kind";

/**
 * Tries a key that leaked, also by one of its fields if the config has the others; undefined if it has not. A refusal says that
 * it is gone only if the issuer takes another key at that moment.
 */
export async function tryLeakedKey<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  { config }: KnownStack,
  secret: S,
  { parts }: LeakedParts,
): Promise<LeakTried | undefined> {
  const { current, previous } = kind.keysIn(config, secret) ?? {};
  const known = [current, previous].filter((key) => key !== undefined);
  const fields = kind.fields(secret);
  const { noun, issuer } = kind.words(config, secret);
  const key = keyWith(known, fields, parts, noun);
  if (key === undefined) return undefined;
  const others = known.filter(({ values }) => !kind.isSame(values, key.values));
  let because = "";
  for (const other of others.length === 0 ? [undefined] : others) {
    const seen = await seePrevious(kind, config, secret, { previous: key, active: other });
    if (seen.previous === "alive") return { answer: "works", evidence: `${issuer} accepts it` };
    if (seen.previous === "unknown") because = seen.because;
    else return { answer: "refused", evidence: `${issuer} refuses it, and accepts another ${noun}` };
  }
  return { answer: "unknown", evidence: because };
}

function keyWith(
  known: readonly SuppliedKey[],
  fields: readonly string[],
  parts: LeakedParts["parts"],
  noun: string,
): SuppliedKey | undefined {
  if (fields.every((field) => parts[field] !== undefined)) {
    return {
      label: `the leaked ${noun}`,
      values: Object.fromEntries(fields.map((f) => [f, parts[f] ?? ""])) as Values,
    };
  }
  return known.find(({ values }) =>
    fields.some((field) => parts[field] !== undefined && values[field] === parts[field]),
  );
}
