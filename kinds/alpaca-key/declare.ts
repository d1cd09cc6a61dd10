import type { AlpacaKeyConfig } from "../../config";
import { declareSupplied } from "../issuer/declare";
import type { KeySeen } from "../issuer/previous-key";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { AlpacaKey } from "./component";
import { alpacaPairs, placesOf } from "./supplied";

/**
 * Declares a key pair. Refuses at once a known label with another pair, and a rollback to a key that is gone.
 *
 * @throws RequestRefusedError if the config requests what is impossible; nothing was changed then.
 */
export function declareAlpacaKey(secret: AlpacaKeyConfig, stack: DeclaredIn, seen: KeySeen): Declare {
  const { config } = stack;
  const own = { places: placesOf(config), activationWait: config.alpaca?.activationWait ?? 0 };
  return declareSupplied(alpacaPairs, secret, stack, seen, (args) => declaration(AlpacaKey, { ...args, ...own }));
}
