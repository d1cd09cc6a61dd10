import type { AlpacaKeyConfig, Config, KeyPair, PostgresPasswordConfig } from "../../config";
import { slugOf } from "../../core/resource-names";
import { adoptedGeneration, EMPTY, other, type SecretState, type SlotIndex } from "../../core/state";
import { activeUsername } from "../../kinds/postgres-password/roles";
import { usernamePathOf } from "../../kinds/postgres-password/schema";
import type { StoreEntry } from "../../stores/store";
import type { Deployment } from "./engine";
import { nameOf } from "./engine-names";

/** A login with its password: keep it in memory, print none of it but the user. */
export interface Login {
  readonly generation: number;
  readonly username: string;
  readonly password: string;
  /** What the store holds while this login is the active one. */
  readonly entries: readonly StoreEntry[];
}

/** The logins of a database password that the stack knows. */
export interface Logins {
  readonly active: Login | undefined;
  /** The one a rollback returns to. */
  readonly previous: Login | undefined;
}

/** Takes a secret's logins out of the stack's decrypted state. */
export function loginsOf(
  deployment: Deployment,
  { adopted }: Pick<Config, "adopted">,
  secret: PostgresPasswordConfig,
  state: SecretState,
): Logins {
  const login = (slot: SlotIndex): Login | undefined => {
    const generation = state.slots[slot];
    if (generation === EMPTY) return undefined;
    const password =
      generation === adoptedGeneration(state)
        ? adopted[secret.name]
        : slotValue(deployment, secret.name, slot, generation);
    if (password === undefined) return undefined;
    const username = activeUsername(secret.strategy, secret.role, { ...state, active: slot });
    const entries: StoreEntry[] = [{ path: secret.name, value: password }];
    // The store of a platform that was adopted has the password alone.
    if (secret.strategy === "alternating-users" && (generation !== 0 || state.step.action === "ROLLBACK")) {
      entries.unshift({ path: usernamePathOf(secret), value: username });
    }
    return { generation, username, password, entries };
  };
  return { active: login(state.active), previous: login(other(state.active)) };
}

/** A slot's password, if the slot really holds that generation: a half-finished update may have filled it anew. */
function slotValue(deployment: Deployment, secret: string, slot: SlotIndex, generation: number): string | undefined {
  const name = `${slugOf(secret)}-slot-${slot === 0 ? "a" : "b"}-password`;
  const resource = deployment.deployment.resources?.find(
    ({ type, urn }) => type === "random:index/randomPassword:RandomPassword" && nameOf(urn) === name,
  );
  const keepers = resource?.outputs?.keepers as { generation?: string } | undefined;
  return keepers?.generation === String(generation) ? plain(resource?.outputs?.result) : undefined;
}

/** A secret in an export with `--show-secrets` is an object that carries its value as JSON. */
function plain(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const text = (value as { plaintext?: string } | undefined)?.plaintext;
  return text === undefined ? undefined : (JSON.parse(text) as string);
}

/** Alpaca's pairs that the config knows, by the slot that their label stands in. */
export function pairsOf(
  { alpacaKeys }: Pick<Config, "alpacaKeys">,
  { name }: Pick<AlpacaKeyConfig, "name">,
  state: SecretState | undefined,
): { readonly active: KeyPair | undefined; readonly previous: KeyPair | undefined } {
  const keys = alpacaKeys[name];
  // Before the first update the pair in use is the older one.
  if (state === undefined) return { active: keys?.previous ?? keys?.current, previous: undefined };
  const held = (slot: SlotIndex) => [keys?.current, keys?.previous].find((pair) => pair?.label === state.labels[slot]);
  return { active: held(state.active), previous: held(other(state.active)) };
}

/** What the store holds of a pair. */
export const pairEntries = (secret: AlpacaKeyConfig, { keyId, secretKey }: Pick<KeyPair, "keyId" | "secretKey">) => [
  { path: secret.keyIdPath, value: keyId },
  { path: secret.secretKeyPath, value: secretKey },
];
