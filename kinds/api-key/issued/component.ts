import type * as pulumi from "@pulumi/pulumi";
import { IssuedKey, type IssuedKeyArgs } from "../../issued-key/component";
import type { IssuedApiKeyConfig } from "../schema";
import { issuedApiKeys } from "./issued";

/** A key of any issuer through one whole rotation, made and ended there by what the config gives. */
export class IssuedApiKey extends IssuedKey<IssuedApiKeyConfig> {
  constructor(name: string, args: IssuedKeyArgs<IssuedApiKeyConfig>, opts: pulumi.ComponentResourceOptions = {}) {
    super("IssuedApiKey", issuedApiKeys, name, args, opts);
  }
}
