import type * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { PasswordRule } from "../../core/password-rule";
import type { Generation } from "../../core/state";

/** What a slot's values are kept by: only a new generation replaces them. */
export const keepersOf = (generation: Generation) => ({ generation: String(generation) });

/**
 * Declares a slot's password, kept in the state until the slot's generation changes.
 *
 * @param rule the one that was in force when the slot was filled: another one would replace the password at once
 */
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
