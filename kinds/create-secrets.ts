import * as pulumi from "@pulumi/pulumi";
import { type Approvals, held } from "../components/approvals";
import type { Platform } from "../components/platform";
import type { Known, PreviousSecret } from "../components/previous-secrets";
import { waitsFor } from "../components/rotation-order";
import type { StackSecret } from "../components/secret-rotation";
import { SharedRestarts } from "../components/shared-restarts";
import { type Config, policyOf, type SecretConfig } from "../config";
import { clockBehind } from "../core/clock";
import type { Decision } from "../core/decide";
import { RequestRefusedError } from "../core/request";
import { slugOf } from "../core/resource-names";
import { activation } from "../core/state";
import { pauseOver } from "../core/waiting";
import { decideSecret, kindFor, type SeenOutside } from ".";
import { decideTogether, groupsOf, inOrder } from "./decide-together";
import type { Declaration, Declare } from "./kind";
import { Probes } from "./probes/begin";

/** The resources that restart services, as a stack's outputs name them: a secret's own, or those that several share. */
const RESTARTED_BY = "step";
const SHARED = "shared step";

/** The activation that other resources than this update's rolled out, so that these do not repeat it. */
const rolledOutBy = (before: PreviousSecret | undefined, by: string): string | undefined =>
  before === undefined || before.restartedBy === by ? undefined : activation(before.state);

/** Keys that must not change in place: a role would be renamed, or lose its password while services use it. */
const FIXED = ["strategy", "role"] as const;

/** @throws RequestRefusedError with the way to change it without an outage. */
function assertUnchanged(secret: SecretConfig, before: PreviousSecret | undefined): void {
  const declared: Readonly<Record<string, unknown>> = secret;
  for (const key of FIXED) {
    const [was, is] = [before?.[key], declared[key]];
    if (was === undefined || is === undefined || was === is) continue;
    throw new RequestRefusedError(
      `${secret.name}: ${key} changed from ${was} to ${is}, which cannot be done in place. Take the secret out of the ` +
        "config and run `pulumi up` (it forgets the roles and the stored values and leaves them as they are), then put it " +
        "back: the credential in use is adopted anew. Nothing was changed.",
    );
  }
}

/** A secret of the config that is ready to be declared. */
export interface Prepared {
  readonly secret: SecretConfig;
  /** As the last finished update left it. */
  readonly before: PreviousSecret | undefined;
  /** Decides on it, and warns of what an operator must know first. */
  decide(): Decision;
  /** The decision with its plan's hash, once it is final. @throws RequestRefusedError if it lacks approvals */
  held(decision: Decision): Decision;
  /** @throws RequestRefusedError */
  declare: Declare;
}

/**
 * Prepares every secret of the config: loads and queries what its declaration needs. Any refusal comes before the first
 * resource is declared.
 *
 * @throws RequestRefusedError, ConfigError
 */
export async function prepareSecrets(
  config: Config,
  { previous, recorded }: Known,
  platform: Platform,
  approvals: Approvals,
  now: Date,
  seen: SeenOutside,
): Promise<readonly Prepared[]> {
  const isKnown = (name: string) => previous[name] !== undefined;
  const { probe } = config;
  const probes =
    probe === undefined || pulumi.runtime.isDryRun() ? undefined : new Probes({ ...config, probe }, platform);
  return Promise.all(
    config.secrets.map(async (secret) => {
      const { name } = secret;
      const before = previous[name];
      assertUnchanged(secret, before);
      const stack = { config, platform, now, before, recorded: recorded[name], isKnown };
      const kind = kindFor(secret);
      const declared = await kind.declare(secret, stack, seen[name] ?? {});
      const declare: Declare = (decision, given) => {
        const declaration = declared(decision, given);
        probes?.add(secret, decision, kind);
        return declaration;
      };
      const decide = () => {
        const behind = before && clockBehind(name, before.state, now);
        const paused = pauseOver(name, policyOf(config, secret), now);
        for (const warning of [behind, paused]) if (warning !== undefined) void pulumi.log.warn(warning);
        return decideSecret(config, secret, { finished: before?.state, recorded: recorded[name] }, now, seen[name]);
      };
      return { secret, before, decide, declare, held: (decision: Decision) => held(decision, approvals) };
    }),
  );
}

/** How a secret is declared whose restarts are its own. @throws RequestRefusedError */
export function declareAlone(prepared: Prepared): Declaration {
  const { before, decide, declare } = prepared;
  return declare(prepared.held(decide()), {
    rolledOut: rolledOutBy(before, RESTARTED_BY),
    finished: before && activation(before.state),
  });
}

/** A secret's part of the stack's output `secrets`, from which the next update decides. */
export const outputOf = (
  { description, state }: StackSecret,
  restartedBy = RESTARTED_BY,
): pulumi.Output<Record<string, unknown>> =>
  pulumi
    .all([description, state])
    .apply(([about, reached]): Record<string, unknown> => ({ ...about, restartedBy, state: reached }));

/** Declares all of them in the config's order. Returns the stack's output. @throws RequestRefusedError */
export function createSecrets(
  config: Config,
  platform: Platform,
  prepared: readonly Prepared[],
): Record<string, unknown> {
  const together = decideTogether(
    config,
    prepared.map(({ decide }) => decide()),
  );
  // Of all, before the first resource is declared.
  const decided = together.map((decision) =>
    prepared.find(({ secret }) => secret.name === decision.secret)?.held(decision),
  );
  const groups = groupsOf(config).map((names) => ({
    names,
    shared: new SharedRestarts(slugOf(names.at(-1) ?? ""), platform),
  }));
  const groupOf = (name: string) => groups.find(({ names }) => names.includes(name));
  const ordered = inOrder(
    prepared,
    groups.map(({ names }) => names),
    ({ secret }) => secret.name,
  );
  const outputs: Record<string, unknown> = {};
  const earlier: (Pick<StackSecret, "last" | "preflight"> & { readonly secret: SecretConfig })[] = [];
  try {
    for (const { secret, before, declare } of ordered) {
      const { name } = secret;
      const group = groupOf(name);
      const decision = decided.find((one) => one?.secret === name) as Decision;
      const reliesOn = earlier.find((one) => one.secret.name === decision.state.platformSeenBy)?.preflight;
      const dependsOn = earlier
        .filter((one) => waitsFor(secret, one.secret) && !group?.names.includes(one.secret.name))
        .map(({ last }) => last)
        .concat(reliesOn ?? []);
      const sharing = group?.shared.member();
      const finished = before && activation(before.state);
      const restartedBy = group === undefined ? RESTARTED_BY : SHARED;
      const given = { rolledOut: rolledOutBy(before, restartedBy), finished, sharing };
      const made = declare(decision, given).create(slugOf(name), { dependsOn });
      if (sharing !== undefined) sharing.last = [made.last];
      if (name === group?.names.at(-1)) group?.shared.finish();
      outputs[name] = outputOf(made, restartedBy);
      earlier.push({ secret, last: made.last, preflight: made.preflight });
    }
  } catch (error) {
    for (const { shared } of groups) shared.abandon(error);
    throw error;
  }
  return outputs;
}
