import { unfinishedOf } from "./begun";
import { nextLeaseState } from "./lease-state";
import { nextState } from "./next-state";
import { type Plan, planOf } from "./plan";
import type { Policy } from "./policy";
import type { Request } from "./request";
import { type Base, resolve } from "./resume";
import { previousGeneration, type SecretState } from "./state";
import { nextVaultState } from "./vault-state";

/**
 * What the preflight asks for what: a rollback and a repair must work while services are down and the market is open, an
 * adoption that moves nothing restarts no service, and an emergency does not wait for the market.
 */
export const PREFLIGHT_MODES = ["adoption", "rotation", "emergency", "rollback", "repair"] as const;

export type PreflightMode = (typeof PREFLIGHT_MODES)[number];

/** What only one kind of secret decides from. */
export type Rules =
  | {
      readonly kind: "password";
      /** Whether the old and the new credential are valid at once. */
      readonly overlaps: boolean;
      /** Whether the value of the adopted generation is known. */
      readonly hasAdopted: boolean;
      /** Who still uses the previous login, in words; empty or undefined where nobody does or nobody was asked. */
      readonly previousInUse?: string | undefined;
    }
  | {
      readonly kind: "supplied-key";
      /** The label of the pair that the operator supplied. */
      readonly label: string;
      /** The label of the pair before, if the config has one. */
      readonly previousLabel: string | undefined;
      /** Since when the pair that the first update adopts has been in use, where its label says so. */
      readonly since: Date | undefined;
      /** Whether the previous pair was seen to be gone. */
      readonly previousGone: boolean;
    }
  /** Vault's own rotation of the password, as it was last. */
  | { readonly kind: "rotated-by-vault"; readonly rotation: string | undefined }
  /** The logins' definition, as a short text. */
  | { readonly kind: "leases"; readonly definition: string };

export interface DecideInputs {
  readonly secret: string;
  readonly now: Date;
  readonly policy: Policy;
  /** The request in the config, if it is for this secret. */
  readonly request: Request | undefined;
  /** The state as the last finished update left it: the stack's outputs. */
  readonly finished: SecretState | undefined;
  /** What the last activation was to bring about (`recordedOf`). */
  readonly recorded: SecretState | undefined;
  readonly rules: Rules;
}

/** What an update does to one secret, and why. Everything that says or does something about it reads this. */
export interface Decision extends Plan {
  /** The state that the update brings the secret to. */
  readonly state: SecretState;
  readonly finished: SecretState | undefined;
  /** What an interrupted update had begun; undefined where nothing is unfinished. */
  readonly begun: SecretState | undefined;
  readonly mode: PreflightMode;
  /** Whether a request says to overwrite an external write. Only in the update that handles the request. */
  readonly force: boolean;
}

/**
 * The one decision on a secret. Pure: the clock is among the inputs.
 *
 * @throws RequestRefusedError for a request that cannot be carried out; nothing was changed
 */
export function decide(inputs: DecideInputs): Decision {
  const { secret, finished, request, now, rules } = inputs;
  const recorded = canFinish(inputs) ? inputs.recorded : undefined;
  const resolved = resolve({ finished, recorded, request, now }, (base) => next(base, inputs));
  const { state } = resolved;
  return {
    ...planOf(secret, finished, resolved),
    state,
    finished,
    begun: unfinishedOf(finished, recorded),
    mode: modeOf(rules.kind, state),
    force: request?.force === true && request.id !== finished?.handledRequest,
  };
}

/**
 * Whether what was begun can be finished. A pair that the operator took out of the config again cannot: Alpaca refused it,
 * say. What it has left in the store is found there.
 */
function canFinish({ finished, recorded, request, rules }: DecideInputs): boolean {
  const begun = unfinishedOf(finished, recorded);
  if (begun === undefined || rules.kind !== "supplied-key" || request?.activate !== undefined) return true;
  return [rules.label, rules.previousLabel].includes(begun.labels[begun.active] ?? undefined);
}

function next({ previous, ...base }: Base, { now, policy, rules }: DecideInputs): SecretState {
  switch (rules.kind) {
    case "password":
      return nextState(previous, {
        ...{ now, policy, hasAdopted: rules.hasAdopted, overlaps: rules.overlaps },
        ...{ previousInUse: rules.previousInUse, ...base },
      });
    case "supplied-key":
      return nextState(previous, {
        ...{ now, policy, hasAdopted: true, suppliedKeyLabel: rules.label, adoptedKeyLabel: rules.previousLabel },
        ...{ adoptedSince: rules.since, previousGone: rules.previousGone, ...base },
      });
    case "rotated-by-vault":
      return nextVaultState(previous, { now, policy, request: base.request, rotation: rules.rotation });
    case "leases":
      return nextLeaseState(previous, { now, request: base.request, definition: rules.definition });
  }
}

/** What the preflight of a state's activation asks for. */
export function modeOf(kind: Rules["kind"], state: SecretState): PreflightMode {
  if (kind === "supplied-key") {
    // The pair in use is the only one there ever was: nothing moves.
    if (previousGeneration(state) === undefined) return "adoption";
    if (state.endedEarly !== undefined) return "repair";
  }
  if (state.activatedBy !== undefined) return "rollback";
  if (state.emergency) return "emergency";
  // What Vault has rotated by itself has to be rolled out, whatever the market does: new logins fail meanwhile.
  const rolledOut = kind === "rotated-by-vault" && state.step.action === "ROTATE" && !state.forced;
  return rolledOut ? "repair" : "rotation";
}
