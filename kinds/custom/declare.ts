import { declareIssued } from "../issued-key/declare";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { CustomSecret } from "./component";
import { customKind } from "./issued";
import type { CustomConfig } from "./schema";

/** Declares a credential. @throws RequestRefusedError if the config requests what is impossible; nothing was changed then */
export const declareCustom = (secret: CustomConfig, stack: DeclaredIn): Declare =>
  declareIssued(customKind, secret, stack, (args) => declaration(CustomSecret, args));
