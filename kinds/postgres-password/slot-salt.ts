import * as pulumi from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random";
import { derivedSalt } from "../../core/scram";
import type { Generation } from "../../core/state";
import { keepersOf } from "../own-password/slot-password";

/** The value of one slot. Only a new generation replaces it. */
export interface PasswordSlot {
  readonly password: pulumi.Output<string>;
  /** The salt of the password's SCRAM verifier: 16 bytes, base64. */
  readonly salt: pulumi.Output<string>;
}

/**
 * The salt of a slot's generation. That of a password that an earlier version made is declared, and kept in the state until
 * the slot's generation changes.
 *
 * @param from the first generation whose salt is derived
 */
export function slotSalt(
  name: string,
  generation: Generation,
  { stack, from }: { readonly stack: string; readonly from: Generation | undefined },
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  if (from !== undefined && generation >= from) return pulumi.output(derivedSalt(stack, name, generation));
  return new RandomBytes(`${name}-salt`, { length: 16, keepers: keepersOf(generation) }, opts).base64;
}
