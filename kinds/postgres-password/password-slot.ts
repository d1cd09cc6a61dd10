import * as pulumi from "@pulumi/pulumi";
import { RandomBytes, RandomPassword } from "@pulumi/random";
import type { PasswordRule } from "../../core/password-rule";
import { derivedSalt } from "../../core/scram";
import type { Generation } from "../../core/state";

/** The value of one slot. Only a new generation replaces it. */
export interface PasswordSlot {
  readonly password: pulumi.Output<string>;
  /** The salt of the password's SCRAM verifier: 16 bytes, base64. */
  readonly salt: pulumi.Output<string>;
}

/**
 * Declares a slot's password, and the salt of one that an earlier version made; kept in the state until the slot's generation
 * changes.
 *
 * @param rule the one that was in force when the slot was filled: another one would replace the password at once
 * @param salts the stack, and the first generation whose salt is derived; an earlier one has a salt of its own in the state
 */
export function passwordSlot(
  name: string,
  generation: Generation,
  rule: PasswordRule,
  salts: { readonly stack: string; readonly from: Generation | undefined },
  opts: pulumi.CustomResourceOptions,
): PasswordSlot {
  const password = slotPassword(name, generation, rule, opts);
  if (salts.from !== undefined && generation >= salts.from)
    return { password, salt: pulumi.output(derivedSalt(salts.stack, name, generation)) };
  const salt = new RandomBytes(`${name}-salt`, { length: 16, keepers: keepersOf(generation) }, opts);
  return { password, salt: salt.base64 };
}

const keepersOf = (generation: Generation) => ({ generation: String(generation) });

/** A slot's password alone: {@link passwordSlot}. */
export function slotPassword(
  name: string,
  generation: Generation,
  rule: PasswordRule,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  // Every argument is written out: a default that changes with a new version of the provider would replace the password.
  const { result } = new RandomPassword(
    `${name}-password`,
    {
      length: rule.length,
      lower: rule.lower,
      upper: rule.upper,
      numeric: rule.numeric,
      special: rule.overrideSpecial !== "",
      minLower: rule.minLower,
      minUpper: rule.minUpper,
      minNumeric: rule.minNumeric,
      minSpecial: rule.minSpecial,
      overrideSpecial: rule.overrideSpecial,
      keepers: keepersOf(generation),
    },
    opts,
  );
  return result;
}
