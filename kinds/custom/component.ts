import type * as pulumi from "@pulumi/pulumi";
import { IssuedKey, type IssuedKeyArgs } from "../issued-key/component";
import { customKind } from "./issued";
import type { CustomConfig } from "./schema";

/** A credential of the user's own commands through one whole rotation. */
export class CustomSecret extends IssuedKey<CustomConfig> {
  constructor(name: string, args: IssuedKeyArgs<CustomConfig>, opts: pulumi.ComponentResourceOptions = {}) {
    super("CustomSecret", customKind, name, args, opts);
  }
}
