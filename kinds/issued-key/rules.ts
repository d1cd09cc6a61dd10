import { nextState } from "../../core/next-state";
import { type Request, RequestRefusedError } from "../../core/request";
import { previousGeneration, type SecretState } from "../../core/state";
import { without } from "../../core/without";
import type { Kind } from "../kind";
import { issuedAsks } from "./asks";
import type { IssuedConfig } from "./issued-kind";

/** The rules of keys that an issuer makes at this pipeline's request: they rotate by age, as passwords do. */
export const issuedRules: Pick<Kind<IssuedConfig, object>, "observe" | "rules"> = {
  observe: async () => ({}),
  rules: (secret, { adopted }) => ({
    next: (state, situation) => {
      assertPossible(state, situation.request);
      return nextState(state, {
        ...situation,
        // Who uses a key cannot be seen.
        policy: without(situation.policy, "quietPeriod"),
        hasAdopted: adopted[secret.name] !== undefined,
      });
    },
    modeOf: issuedAsks.modeOf,
    canFinish: () => true,
  }),
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
