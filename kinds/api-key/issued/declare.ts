import { declareIssued } from "../../issued-key/declare";
import { type Declare, type DeclaredIn, declaration } from "../../kind";
import type { IssuedApiKeyConfig } from "../schema";
import { IssuedApiKey } from "./component";
import { issuedApiKeys } from "./issued";

/** Declares a key. @throws RequestRefusedError if the config requests what is impossible; nothing was changed then */
export const declareIssuedApiKey = (secret: IssuedApiKeyConfig, stack: DeclaredIn): Declare =>
  declareIssued(issuedApiKeys, secret, stack, (args) => declaration(IssuedApiKey, args));
