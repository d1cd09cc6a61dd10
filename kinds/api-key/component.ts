import type * as pulumi from "@pulumi/pulumi";
import type { ApiKeyConfig } from "../../config";
import { type DeclaredKey, SuppliedCredential, type SuppliedCredentialArgs, secretValues } from "../issuer/component";
import { apiKeyAsks } from "./asks";
import { referenceOf } from "./reference";
import { apiKeys } from "./supplied";

export interface ApiKeyArgs extends SuppliedCredentialArgs {
  readonly config: ApiKeyConfig;
  /** What the outputs keep of the key in use, to tell it from another one under its label. */
  readonly check: string;
}

/** A key of any issuer through one whole rotation, proven by the request that the config gives. */
export class ApiKey extends SuppliedCredential<ApiKeyArgs> {
  constructor(name: string, args: ApiKeyArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("ApiKey", { kind: apiKeys, asks: apiKeyAsks }, name, args, opts);
  }

  protected get verifyStep() {
    const { config, active, previous } = this.args;
    return {
      step: "verify-key",
      input: {
        issuer: referenceOf(config),
        secretName: config.name,
        purpose: this.purpose,
        key: this.keyInput(active),
        ...(previous === undefined ? {} : { before: this.keyInput(previous) }),
        ...(config.account === undefined ? {} : { account: config.account }),
        activationWait: config.verify.activationWait,
        supply: apiKeys.terms(config).supply.command,
      },
    };
  }

  protected keyInput({ label, values }: DeclaredKey) {
    return { label, values: secretValues(values) };
  }

  protected about({ identity }: Record<string, unknown>) {
    const { active, check } = this.args;
    return { key: { label: active.label, check }, ...(identity === undefined ? {} : { identity }) };
  }
}
