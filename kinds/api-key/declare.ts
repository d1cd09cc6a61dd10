import type { ApiKeyConfig } from "../../config";
import { declareSupplied } from "../issuer/declare";
import type { KeySeen } from "../issuer/previous-key";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { ApiKey } from "./component";
import { apiKeys, checkOf } from "./supplied";

/**
 * Declares a key. Refuses at once a known label with another key, and a rollback to a key that is gone.
 *
 * @throws RequestRefusedError if the config requests what is impossible; nothing was changed then.
 */
export const declareApiKey = (secret: ApiKeyConfig, stack: DeclaredIn, seen: KeySeen): Declare =>
  declareSupplied(apiKeys, secret, stack, seen, (args, active) =>
    declaration(ApiKey, { ...args, check: checkOf(secret, active) }),
  );
