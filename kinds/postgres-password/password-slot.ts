import type * as pulumi from "@pulumi/pulumi";
import { RandomBytes, RandomPassword } from "@pulumi/random";
import type { Generation } from "../../core/state";

/** The runbook's length: 24 characters, letters, digits and symbols. A change replaces every password at once. */
const LENGTH = 24;

/** Symbols that mean nothing to a shell, a URL or a connection string. */
const SYMBOLS = "-_.~";

/** The value of one slot. Only a new generation replaces it. */
export interface PasswordSlot {
  readonly password: pulumi.Output<string>;
  /** 16 random bytes, base64: the salt of the password's SCRAM verifier. */
  readonly salt: pulumi.Output<string>;
}

/** Declares a slot's password and salt, both kept in the state until the slot's generation changes. */
export function passwordSlot(name: string, generation: Generation, opts: pulumi.CustomResourceOptions): PasswordSlot {
  const keepers = { generation: String(generation) };
  // Every argument is written out: a default that changes with a new version of the provider would replace the password.
  const password = new RandomPassword(
    `${name}-password`,
    {
      length: LENGTH,
      lower: true,
      upper: true,
      numeric: true,
      special: true,
      minLower: 1,
      minUpper: 1,
      minNumeric: 1,
      minSpecial: 1,
      overrideSpecial: SYMBOLS,
      keepers,
    },
    opts,
  );
  const salt = new RandomBytes(`${name}-salt`, { length: 16, keepers }, opts);
  return { password: password.result, salt: salt.base64 };
}
