import { type PostgresPasswordConfig, policyOf, traitsOf } from "../../config";
import { nextState } from "../../core/next-state";
import { passwordRule } from "../../core/password-rule";
import type { Kind } from "../kind";
import { postgresPasswordAsks } from "./asks";
import { type PasswordSeen, seeOldLogin } from "./old-logins";
import { operations } from "./operations";

/** A password that this pipeline makes, with one login or with two that take turns. */
export const postgresPassword: Kind<PostgresPasswordConfig, PasswordSeen> = {
  asks: postgresPasswordAsks,
  observe: async (secret, { config, finished, now }) => ({
    previousInUse: await seeOldLogin(secret, policyOf(config, secret), finished, now),
  }),
  rules: (secret, { adopted }, { previousInUse }) => ({
    next: (state, situation) =>
      nextState(state, {
        ...situation,
        rule: secret.passwordRule && passwordRule(secret.passwordRule),
        hasAdopted: adopted[secret.name] !== undefined,
        overlaps: traitsOf(secret).overlaps,
        previousInUse,
      }),
    modeOf: postgresPasswordAsks.modeOf,
    canFinish: () => true,
  }),
  declare: async (secret, stack, seen) => (await import("./declare")).declarePassword(secret, stack, seen),
  operations,
};
