import * as pulumi from "@pulumi/pulumi";
import { ageOf, dueAt, graceEndsAt } from "../core/deadlines";
import type { Policy } from "../core/policy";
import { activeGeneration, previousGeneration, type SecretState } from "../core/state";

export interface DescribeArgs {
  readonly kind: string;
  readonly strategy: string;
  /** The platform's own role. */
  readonly role?: string;
  readonly store: string;
  readonly state: SecretState;
  readonly policy: Policy;
  /** What the store's read-back answered: the path and version of each entry. */
  readonly written: pulumi.Output<Record<string, unknown>>;
  /** The kind's own outputs. */
  readonly more?: pulumi.Output<Record<string, unknown>>;
}

/** The stack's outputs and the audit row's data for a secret: versions, dates and paths, never a value. */
export function describeSecret(args: DescribeArgs): pulumi.Output<Record<string, unknown>> {
  const { kind, strategy, role, store, state, policy, written, more } = args;
  const previous = previousGeneration(state);
  return pulumi.all([written, more ?? {}]).apply(
    ([{ entries }, special]): Record<string, unknown> => ({
      kind,
      strategy,
      ...(role === undefined ? {} : { role }),
      store,
      generation: activeGeneration(state),
      rotatedAt: state.rotatedAt,
      // Only if it is not, so that the outputs of other secrets stay unchanged.
      ...(ageOf(state).known ? {} : { ageKnown: false }),
      dueAt: dueAt(state, policy).toISOString(),
      ...(previous === undefined
        ? {}
        : {
            previous: {
              generation: previous,
              revoked: state.revoked,
              ...(state.revoked ? {} : { validUntil: graceEndsAt(state, policy).toISOString() }),
            },
          }),
      versions: entries ?? [],
      ...special,
    }),
  );
}

/** The marks beside each value in the store: when it was rotated, and how long the previous one stays valid. */
export function marksOf(state: SecretState, policy: Policy): Record<string, string> {
  const previous = previousGeneration(state);
  return {
    rotation_date: state.rotatedAt,
    status: "active",
    generation: String(activeGeneration(state)),
    ...(previous === undefined || state.revoked
      ? {}
      : { previous_generation: String(previous), grace_until: graceEndsAt(state, policy).toISOString() }),
  };
}
