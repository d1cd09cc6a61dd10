import { placesOf, restartPlaces } from "../../components/places";
import { stored, writeBack } from "../../components/stored-values";
import { policyOf } from "../../config";
import { utc } from "../../core/clock";
import { graceEndsAt } from "../../core/deadlines";
import { previousGeneration, type SecretState } from "../../core/state";
import { holdsEntry } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import type { About, Finding, Found, StackView } from "../kind-operations";
import type { Values, Verdict } from "./issuer";
import { heldEntries, keyEntries, keysBySlot } from "./keys";
import type { IssuedSecret, IssuerWords, SuppliedKey, SuppliedKind } from "./supplied-kind";
import { type StoredKey, storedKey, whole } from "./try-key";

interface Keys<S extends IssuedSecret> {
  readonly kind: SuppliedKind<S>;
  readonly stack: StackView;
  readonly secret: S;
  readonly state: SecretState;
  readonly words: IssuerWords;
}

/** A key that is refused after a rotation, one that was written by hand, and one that was deleted too early. */
export async function keyFindings<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  stack: StackView,
  secret: S,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const keys = { kind, stack, secret, state, words: kind.words(stack.config, secret) };
  const { active, previous } = keysBySlot(kind, stack.config, secret, state);
  const held = await storedKey(kind, stack.config, secret);
  const entries = active === undefined ? [] : heldEntries(kind, secret, active.values, state);
  const differs = !(await Promise.all(entries.map((entry) => isHeld(stack, entry)))).every(Boolean);
  const own =
    active !== undefined && differs ? await storeDiffers(keys, active, held) : await inUseRefused(keys, active);
  const early = previous === undefined ? undefined : await deletedEarly(keys, previous);
  return [own, early].filter((found) => found !== undefined).map(about);
}

async function storeDiffers<S extends IssuedSecret>(
  { kind, stack, secret, state, words: { noun } }: Keys<S>,
  active: SuppliedKey,
  held: StoredKey | undefined,
): Promise<Found> {
  const where = held === undefined ? `the store holds no ${noun}` : held.versions;
  const values = whole(held);
  const verdict = values === undefined ? undefined : await ask({ kind, stack, secret }, values);
  const answered = verdict === undefined ? "" : `; ${verdict.evidence} to it`;
  return {
    cause: `the store holds another ${noun} than the one in use: it was written by hand`,
    evidence: `${where}${answered}`,
    command: stack.command(`diagnose ${secret.name} --fix`),
    hint: `writes the ${noun} ${active.label} back and restarts the services`,
    fix: async () => {
      const { config } = stack;
      await writeBack(config, keyEntries(kind, secret, active.values), state);
      return `the ${noun} ${active.label} is back in the store; ${await restartPlaces(config, placesOf(config, secret))}`;
    },
  };
}

async function inUseRefused<S extends IssuedSecret>(
  { words, ...keys }: Keys<S>,
  active: SuppliedKey | undefined,
): Promise<Found | undefined> {
  const { kind, stack, secret, state } = keys;
  const verdict = active && (await ask(keys, active.values));
  if (active === undefined || verdict === undefined || verdict.answer === "works") return undefined;
  const back = previousGeneration(state);
  const { evidence } = verdict;
  return {
    cause: `${evidence} to the ${words.noun} in use: not active yet, copied wrongly, or deleted`,
    evidence: `${kind.question(secret, active)}: ${evidence}`,
    command: stack.command(words.add),
    hint:
      `see first ${words.where} whether the ${words.noun} is active; then \`rotation run\`` +
      (back === undefined
        ? ""
        : `, or go back: \`${stack.command(`rollback ${secret.name} --reason "${evidence}"`)}\``),
  };
}

async function deletedEarly<S extends IssuedSecret>(
  { words, ...keys }: Keys<S>,
  previous: SuppliedKey,
): Promise<Found | undefined> {
  const { stack, secret, state } = keys;
  const end = graceEndsAt(state, policyOf(stack.config, secret));
  if (state.revoked || stack.now >= end) return undefined;
  const verdict = await ask(keys, previous.values);
  if (verdict?.answer !== "refused") return undefined;
  return {
    cause: "the old key was deleted before its grace period ended: services that hold it fail when their cache expires",
    evidence: `${verdict.evidence} to ${previous.label}; its grace period ends at ${utc(end)}`,
    command: stack.command("run"),
    hint: `restarts every service that reads the ${words.noun}`,
    fix: stack.finish,
  };
}

const isHeld = async ({ config }: StackView, entry: StoreEntry) => holdsEntry(await stored(config, entry.path), entry);

/** Undefined if the issuer does not answer. */
async function ask<S extends IssuedSecret>(
  { kind, stack, secret }: Pick<Keys<S>, "kind" | "stack" | "secret">,
  values: Values,
): Promise<Verdict | undefined> {
  const verdict = await kind.verify(stack.config, secret, values, { limit: 10_000, timeout: 5000 });
  return verdict.answer === "unknown" && !verdict.answered ? undefined : verdict;
}
