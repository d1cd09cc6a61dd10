import { nextState } from "../../core/next-state";
import { type Request, RequestRefusedError } from "../../core/request";
import { previousGeneration, type SecretState } from "../../core/state";
import { without } from "../../core/without";
import type { Kind } from "../kind";
import { customAsks } from "./asks";
import { operations } from "./operations";
import type { CustomConfig } from "./schema";

/** A credential that commands of the user's own make, prove and end at an issuer. */
export const custom: Kind<CustomConfig, object> = {
  asks: customAsks,
  observe: async () => ({}),
  rules: (secret, { adopted }) => ({
    next: (state, situation) => {
      assertPossible(state, situation.request);
      return nextState(state, {
        ...situation,
        // Who uses a credential cannot be seen.
        policy: without(situation.policy, "quietPeriod"),
        hasAdopted: adopted[secret.name] !== undefined,
      });
    },
    modeOf: customAsks.modeOf,
    canFinish: () => true,
  }),
  declare: async (secret, stack) => (await import("./declare")).declareCustom(secret, stack),
  operations,
};

/** An issuer cannot bring back what has ended, and an external write is no credential that this pipeline could end. */
function assertPossible(state: SecretState | undefined, request: Request | undefined): void {
  if (state === undefined || request === undefined || request.id === state.handledRequest) return;
  const refuse = (why: string) => new RequestRefusedError(`request ${request.id}: ${why}; nothing was changed.`);
  const { secret } = request;
  if (request.adopt)
    throw refuse(
      `values that others wrote for ${secret} cannot be adopted: rotate with \`force\` instead, which issues new ones`,
    );
  if (request.activate !== undefined && request.activate === previousGeneration(state) && state.revoked)
    throw refuse(
      `generation ${request.activate} of ${secret} has ended at its issuer, which cannot bring it back: \`rotation rotate-now ${secret}\` issues a new one`,
    );
}
