import type { AlpacaKeyConfig } from "../../config";
import type { KeySeen } from "../issuer/previous-key";
import { suppliedRules } from "../issuer/supplied-rules";
import type { Kind } from "../kind";
import { alpacaKeyAsks } from "./asks";
import { operations } from "./operations";
import { probedPair } from "./probed";
import { alpacaPairs } from "./supplied";

/** A key pair of Alpaca, which only the operator can make: a new label is what rotates. */
export const alpacaKey: Kind<AlpacaKeyConfig, KeySeen> = {
  asks: alpacaKeyAsks,
  ...suppliedRules(alpacaPairs, alpacaKeyAsks),
  probed: probedPair,
  declare: async (secret, stack, seen) => (await import("./declare")).declareAlpacaKey(secret, stack, seen),
  operations,
};
