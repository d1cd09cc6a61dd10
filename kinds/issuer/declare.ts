import * as pulumi from "@pulumi/pulumi";
import type { PreviousSecret } from "../../components/previous-secrets";
import { sayPlan } from "../../components/say-plan";
import { assertReadable, shapeBefore } from "../../components/shape-change";
import { policyOf } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { documentShape, keyDocument } from "../../core/document-settings";
import { RequestRefusedError } from "../../core/request";
import { other, previousGeneration, type SecretState, type SlotIndex } from "../../core/state";
import type { Declare, DeclaredIn } from "../kind";
import type { SuppliedCredentialArgs } from "./component";
import { keyIn } from "./keys";
import { keyNotices } from "./notices";
import { type KeySeen, type PreviousSeen, unhandled } from "./previous-key";
import { assertSameMaker } from "./same-maker";
import type { IssuedSecret, SuppliedKey, SuppliedKeys, SuppliedKind } from "./supplied-kind";

/**
 * Declares a secret whose keys the operator supplies. Refuses at once a known label with another key, and a rollback to a key
 * that is gone.
 *
 * @param declared the component with these arguments
 * @throws RequestRefusedError if the config requests what is impossible; nothing was changed then.
 */
export function declareSupplied<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  secret: S,
  stack: DeclaredIn,
  { previousKey }: KeySeen,
  declared: (args: SuppliedCredentialArgs & { readonly config: S }, active: SuppliedKey) => ReturnType<Declare>,
): Declare {
  const { config, before, recorded, platform, now } = stack;
  assertSameMaker(secret, "supplied-key", before);
  const policy = policyOf(config, secret);
  const words = kind.words(config, secret);
  const keys = suppliedKeys(kind, stack, secret);
  assertSameKey(kind, secret, keys, before);
  assertReadable(secret, documentShape(secret, keyDocument(kind.fields(secret))), before);
  assertAlive(kind, stack, secret, keys, unfinishedOf(before?.state, recorded) ?? before?.state, previousKey);
  return (decision, { rolledOut, finished, sharing }) => {
    const { state, force } = decision;
    const active = requireKey(kind, secret, keys, state, state.active);
    const acts = decision.action !== undefined;
    // The key in use says whose keys a new one must be among, and is what a rollback returns to.
    const moves = acts && previousGeneration(state) !== undefined && ["ADOPT", "ROTATE"].includes(state.step.action);
    const previous = moves
      ? requireKey(kind, secret, keys, state, other(state.active))
      : keyIn(keys, state, other(state.active));

    sayPlan(decision);
    const notices = keyNotices({
      secret: secret.name,
      state,
      policy,
      words,
      now,
      hasPrevious: previous !== undefined,
      seen: acts && state.step.action !== "REVOKE" ? undefined : previousKey,
    });
    for (const { level, message } of notices) void pulumi.log[level === "warning" ? "warn" : "info"](message);
    const around = { recorded, force, rolledOut, finished, sharing, policy, platform };
    return declared({ ...around, config: secret, state, active, previous, kept: shapeBefore(before) }, active);
  };
}

function suppliedKeys<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  { config }: Pick<DeclaredIn, "config">,
  secret: S,
): SuppliedKeys {
  const keys = kind.keysIn(config, secret);
  if (keys !== undefined) return keys;
  throw new Error(`the config's checks must have asked for \`${kind.terms(secret).configKey}\``);
}

function requireKey<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  secret: S,
  keys: SuppliedKeys,
  state: SecretState,
  slot: SlotIndex,
): SuppliedKey {
  const key = keyIn(keys, state, slot);
  if (key !== undefined) return key;
  const has = [keys.current, ...(keys.previous === undefined ? [] : [keys.previous])].map(({ label }) => label);
  const { noun, configKey } = kind.terms(secret);
  throw new RequestRefusedError(
    `${secret.name}: expected the ${noun} ${state.labels[slot]} (generation ${state.slots[slot]}) in ${configKey}["${secret.name}"], ` +
      `found ${has.join(" and ")}. Give it as \`previous\` (or \`current\`); nothing was changed.`,
  );
}

/** A label always means the same key: another one under it would come into use without a rotation. */
function assertSameKey<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  secret: S,
  keys: SuppliedKeys,
  before: PreviousSecret | undefined,
): void {
  const known = before?.key as Readonly<Record<string, unknown>> | undefined;
  if (known === undefined) return;
  const key = [keys.current, keys.previous].find((candidate) => candidate?.label === known.label);
  const difference = key && kind.differs(secret, key, known);
  if (difference === undefined) return;
  const { noun, supply } = kind.terms(secret);
  throw new RequestRefusedError(
    `${secret.name}: expected the key ${known.label} to be the one in use${difference.expected}, found another key` +
      `${difference.found} under its label. A new ${noun} needs a new label: \`${supply.command}\`; nothing was changed.`,
  );
}

/** Refuses a rollback to a key that is gone, even in the preview. */
function assertAlive<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  { config }: Pick<DeclaredIn, "config">,
  secret: S,
  keys: SuppliedKeys,
  before: SecretState | undefined,
  seen: PreviousSeen | undefined,
): void {
  if (before === undefined || seen?.previous !== "gone") return;
  const request = unhandled(config, secret, before);
  const key = keyIn(keys, before, other(before.active));
  if (request?.activate !== previousGeneration(before) || key === undefined) return;
  const { rollbackRefused } = kind.words(config, secret);
  throw new RequestRefusedError(`${secret.name}: ${rollbackRefused(key)} Nothing was changed.`);
}
