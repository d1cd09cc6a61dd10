import * as pulumi from "@pulumi/pulumi";
import { sayPlan } from "../../components/say-plan";
import { assertReadable, shapeBefore } from "../../components/shape-change";
import { policyOf } from "../../config";
import { documentShape, keyDocument } from "../../core/document-settings";
import { EMPTY, type SecretState } from "../../core/state";
import { assertSameMaker } from "../issuer/same-maker";
import type { Declare, DeclaredIn } from "../kind";
import type { IssuedKeyArgs } from "./component";
import { adoptedOf } from "./credentials";
import type { IssuedConfig, IssuedKind } from "./issued-kind";

/**
 * Declares a key that its issuer makes.
 *
 * @param declared the component with these arguments
 * @throws RequestRefusedError if the config requests what is impossible; nothing was changed then
 */
export function declareIssued<S extends IssuedConfig>(
  kind: IssuedKind<S>,
  secret: S,
  { config, platform, before, recorded }: DeclaredIn,
  declared: (args: IssuedKeyArgs<S>) => ReturnType<Declare>,
): Declare {
  assertSameMaker(secret, "issued-key", before);
  assertReadable(secret, documentShape(secret, keyDocument(secret.fields)), before);
  const adopted = adoptedOf(kind, config, secret);
  return (decision, { rolledOut, finished, sharing }) => {
    const { state, force } = decision;
    sayPlan(decision);
    if (before === undefined && adopted === undefined) {
      void pulumi.log.warn(
        `${secret.name}: the values in use are not known, so there is nothing to roll back to until the second rotation, and ` +
          `they stay valid at their issuer. To change that: \`pulumi config set --secret --path 'adopted["${secret.name}"]'\``,
      );
    }
    return declared({
      config: secret,
      state,
      recorded,
      rolledOut,
      finished,
      sharing,
      force,
      policy: policyOf(config, secret),
      platform,
      adopted,
      displaced: displacedBy(state, before?.state),
      kept: shapeBefore(before),
    });
  };
}

/** The generations that a new one has taken the slot of, and that have not ended. */
export function displacedBy({ slots }: SecretState, finished: SecretState | undefined): number[] {
  if (finished === undefined) return [];
  const valid = finished.revoked ? [finished.slots[finished.active]] : [...finished.slots];
  return valid.filter((generation) => generation !== EMPTY && !slots.includes(generation));
}
