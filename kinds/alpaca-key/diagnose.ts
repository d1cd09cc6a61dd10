import { placesOf, restartPlaces } from "../../components/places";
import { stored, writeBack } from "../../components/stored-values";
import { type AlpacaKeyConfig, type KeyPair, policyOf } from "../../config";
import { utc } from "../../core/clock";
import { graceEndsAt } from "../../core/deadlines";
import { previousGeneration, type SecretState } from "../../core/state";
import { holdsEntry } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import type { About, Finding, Found, StackView } from "../kind-operations";
import { askAlpaca, storedPair } from "./ask";
import { heldEntries, pairEntries, pairsOf } from "./pairs";

/** Runbook, troubleshooting 2 and 3: 401 after a rotation, and a key that was deleted too early. */
export async function keyFindings(
  stack: StackView,
  secret: AlpacaKeyConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { active, previous } = pairsOf(stack.config, secret, state);
  const held = await storedPair(stack.config, secret);
  const differs =
    active !== undefined &&
    !(await Promise.all(heldEntries(secret, active, state).map((entry) => isHeld(stack, entry)))).every(Boolean);
  const own = differs
    ? await storeDiffers({ stack, secret, state }, active, held)
    : await inUseRefused({ stack, secret, state }, active);
  const early = previous === undefined ? undefined : await deletedEarly({ stack, secret, state }, previous);
  return [own, early].filter((found) => found !== undefined).map(about);
}

interface Keys {
  readonly stack: StackView;
  readonly secret: AlpacaKeyConfig;
  readonly state: SecretState;
}

async function storeDiffers(
  { stack, secret, state }: Keys,
  active: KeyPair,
  held: Awaited<ReturnType<typeof storedPair>>,
): Promise<Found> {
  const where = held === undefined ? "the store holds no pair" : held.versions;
  const { keyId, secretKey } = held?.pair ?? {};
  const status = keyId === undefined || secretKey === undefined ? undefined : await ask(stack, { keyId, secretKey });
  const answered = status === undefined ? "" : `; Alpaca answers ${status} to it`;
  return {
    cause: "the store holds another pair than the one in use: it was written by hand",
    evidence: `${where}${answered}`,
    command: stack.command(`diagnose ${secret.name} --fix`),
    hint: `writes the pair ${active.label} back and restarts the services`,
    fix: async () => {
      const { config } = stack;
      await writeBack(config, pairEntries(secret, active), state);
      return `the pair ${active.label} is back in the store; ${await restartPlaces(config, placesOf(config, secret))}`;
    },
  };
}

async function inUseRefused({ stack, secret, state }: Keys, active: KeyPair | undefined): Promise<Found | undefined> {
  const status = active && (await ask(stack, active));
  if (active === undefined || status === undefined || status === 200) return undefined;
  const back = previousGeneration(state);
  return {
    cause: `Alpaca answers ${status} to the pair in use: not active yet, copied wrongly, or deleted`,
    evidence: `GET /v2/account with ${active.label} (key ...${active.keyId.slice(-4)}): ${status}`,
    command: stack.command(`alpaca add-key --secret ${secret.name}`),
    hint:
      "see first on the dashboard whether the pair is active; then `rotation run`" +
      (back === undefined
        ? ""
        : `, or go back: \`${stack.command(`rollback ${secret.name} --reason "Alpaca answers ${status}"`)}\``),
  };
}

async function deletedEarly({ stack, secret, state }: Keys, previous: KeyPair): Promise<Found | undefined> {
  const end = graceEndsAt(state, policyOf(stack.config, secret));
  if (state.revoked || stack.now >= end || (await ask(stack, previous)) !== 401) return undefined;
  return {
    cause: "the old key was deleted before its grace period ended: services that hold it fail when their cache expires",
    evidence: `Alpaca answers 401 to ${previous.label}; its grace period ends at ${utc(end)}`,
    command: stack.command("run"),
    hint: "restarts every service that reads the pair",
    fix: stack.finish,
  };
}

const isHeld = async ({ config }: StackView, entry: StoreEntry) => holdsEntry(await stored(config, entry.path), entry);

/** Undefined if Alpaca does not answer. */
const ask = ({ config }: StackView, pair: { readonly keyId: string; readonly secretKey: string }) =>
  askAlpaca(config, pair).catch(() => undefined);
