import { type BroughtIn, proofOf } from "../../components/restart-input";
import type { SecretConfig, ServiceConfig } from "../../config";
import type { Verdict } from "../../core/health";
import { activeGeneration, type SecretState } from "../../core/state";
import type { KnownStack } from "../../kinds/kind-operations";
import { operationsOf } from "../../kinds/operations";

/** The credential that services must use by now. */
export function inUseNow(stack: KnownStack, secret: SecretConfig, state: SecretState): BroughtIn<string> {
  const generation = activeGeneration(state);
  const found = operationsOf(secret)
    .known(stack, secret, [state])
    .find((known) => known.generation === generation);
  return { secret: secret.name, generation, username: found?.username, entries: found?.entries ?? [] };
}

/**
 * What a service's health answer shows instead of the credential in use; undefined if it shows that one, or if its config
 * names nothing that says so (`proof`, other than `changed`).
 */
export function unproven(config: ServiceConfig, { shown }: Verdict, inUse: BroughtIn<string>): string | undefined {
  const { proof } = proofOf(config, inUse);
  if (proof?.equals === undefined || shown === proof.equals) return undefined;
  return `\`${proof.field}\` of its health answer is ${shown ?? "missing"}, expected ${proof.equals}`;
}
