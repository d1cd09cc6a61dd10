import { type PostgresPasswordConfig, policyOf, traitsOf } from "../../config";
import type { UseSeen } from "../../core/disuse";
import { nextState } from "../../core/next-state";
import { passwordRule } from "../../core/password-rule";
import { activation, type SecretState } from "../../core/state";
import { without } from "../../core/without";
import type { Kind } from "../kind";
import { postgresPasswordAsks } from "./asks";
import { seeOldLogin } from "./old-logins";
import { operations } from "./operations";
import { probedPassword } from "./probed";

/** A password that this pipeline makes, with one login or with two that take turns. */
export const postgresPassword: Kind<PostgresPasswordConfig, UseSeen> = {
  asks: postgresPasswordAsks,
  observe: (secret, about) => seeOldLogin(secret, policyOf(about.config, secret), about.finished, about),
  rules: (secret, { adopted, preflight }, seen) => ({
    next: (state, situation) => {
      const next = nextState(state, {
        ...situation,
        rule: secret.passwordRule && passwordRule(secret.passwordRule),
        hasAdopted: adopted[secret.name] !== undefined,
        overlaps: traitsOf(secret).overlaps,
        ...seen,
      });
      return withRehearsal(state, next, preflight.rehearse);
    },
    modeOf: postgresPasswordAsks.modeOf,
    canFinish: () => true,
  }),
  probed: probedPassword,
  declare: async (secret, stack, seen) => (await import("./declare")).declarePassword(secret, stack, seen),
  operations,
};

/** An activation is rehearsed as the config says when it is decided: a stack from before that updates without a change. */
function withRehearsal(before: SecretState | undefined, next: SecretState, rehearse: boolean): SecretState {
  if (before !== undefined && activation(before) === activation(next)) return next;
  const bare: SecretState = without(next, "rehearses");
  return rehearse ? { ...bare, rehearses: true } : bare;
}
