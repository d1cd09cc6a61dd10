import type * as pulumi from "@pulumi/pulumi";
import type { AlpacaKeyConfig } from "../../config";
import { lastFour } from "../../core/key-label";
import { type DeclaredKey, SuppliedCredential, type SuppliedCredentialArgs, secretValues } from "../issuer/component";
import { alpacaKeyAsks } from "./asks";
import type { AlpacaPlaces } from "./places";
import { alpacaPairs } from "./supplied";

export interface AlpacaKeyArgs extends SuppliedCredentialArgs {
  readonly config: AlpacaKeyConfig;
  readonly places: AlpacaPlaces;
  /** Milliseconds that a new pair may answer 401. */
  readonly activationWait: number;
}

/** An Alpaca key pair through one whole rotation, proven by Alpaca. */
export class AlpacaKey extends SuppliedCredential<AlpacaKeyArgs> {
  constructor(name: string, args: AlpacaKeyArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("AlpacaKey", { kind: alpacaPairs, asks: alpacaKeyAsks }, name, args, opts);
  }

  protected get verifyStep() {
    const { config, places, active, previous, activationWait } = this.args;
    return {
      step: "verify-alpaca",
      input: {
        places,
        purpose: this.purpose,
        pair: this.keyInput(active),
        ...(previous === undefined ? {} : { before: this.keyInput(previous) }),
        ...(config.account === undefined ? {} : { account: config.account }),
        activationWait,
      },
    };
  }

  protected keyInput({ label, values }: DeclaredKey) {
    return { label, ...secretValues(values) };
  }

  protected about({ account }: Record<string, unknown>) {
    const { label, values } = this.args.active;
    return {
      key: { label, keyId: lastFour(String(values.keyId)) },
      ...(account === undefined ? {} : { account }),
    };
  }
}
