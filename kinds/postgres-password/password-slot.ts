import type * as pulumi from "@pulumi/pulumi";
import { RandomBytes, RandomPassword } from "@pulumi/random";
import type { PasswordRule } from "../../core/password-rule";
import type { Generation } from "../../core/state";

/** The value of one slot. Only a new generation replaces it. */
export interface PasswordSlot {
  readonly password: pulumi.Output<string>;
  /** 16 random bytes, base64: the salt of the password's SCRAM verifier. Undefined: it is derived from role and password. */
  readonly salt: pulumi.Output<string> | undefined;
}

/**
 * Declares a slot's password, and the salt of one that an earlier version made; kept in the state until the slot's generation
 * changes.
 *
 * @param derivesSalts the first generation without a salt of its own
 * @param rule the one that was in force when the slot was filled: another one would replace the password at once
 */
export function passwordSlot(
  name: string,
  generation: Generation,
  rule: PasswordRule,
  derivesSalts: Generation | undefined,
  opts: pulumi.CustomResourceOptions,
): PasswordSlot {
  const password = slotPassword(name, generation, rule, opts);
  if (derivesSalts !== undefined && generation >= derivesSalts) return { password, salt: undefined };
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
