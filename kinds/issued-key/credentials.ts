import type { CredentialInUse } from "../../components/preflight-input";
import type { Decision } from "../../core/decide";
import { nameOf, slugOf } from "../../core/resource-names";
import { activeGeneration, EMPTY, other, type SecretState } from "../../core/state";
import { writtenBefore } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { fieldPath } from "../issuer/checks";
import { connectIssuer } from "../issuer/connect";
import type { Values } from "../issuer/issuer";
import { type Fields, keyEntries, keyShapes } from "../issuer/keys";
import { type Known, type KnownStack, shapeKept } from "../kind-operations";
import { plain, type SlotsOf } from "../own-password/slot-value";
import { adoptedValues } from "./checks";
import { type AdoptedConfig, type IssuedConfig, type IssuedKind, valueNames } from "./issued-kind";

/** The fields of a credential, and their paths in the store. */
export const issuedFields: Fields<IssuedConfig> = { fields: ({ fields }) => fields, pathOf: fieldPath };

/** A credential: keep it in memory and print none of it. */
export interface KnownCredential {
  readonly generation: number;
  readonly values: Values;
  /** The store's entries while it is the active one. */
  readonly entries: readonly StoreEntry[];
}

/** The credentials of a secret that the stack knows. */
export interface Credentials {
  readonly active: KnownCredential | undefined;
  /** The one a rollback returns to. */
  readonly previous: KnownCredential | undefined;
}

/** Reads a secret's credentials from the stack's decrypted state. */
export function credentialsOf<S extends IssuedConfig>(
  kind: IssuedKind<S>,
  stack: SlotsOf,
  secret: S,
  state: SecretState,
): Credentials {
  const at = (generation: number): KnownCredential | undefined => {
    const values = generation === 0 ? adoptedOf(kind, stack.config, secret) : issuedValues(stack, secret, generation);
    return values && { generation, values, entries: keyEntries(issuedFields, secret, values) };
  };
  return { active: at(activeGeneration(state)), previous: at(state.slots[other(state.active)]) };
}

/** The values in use before this stack; undefined if the config has none. */
export function adoptedOf<S extends IssuedConfig>(
  kind: IssuedKind<S>,
  { adopted }: AdoptedConfig,
  secret: S,
): Values | undefined {
  const text = adopted[secret.name];
  return text === undefined ? undefined : adoptedValues(valueNames(kind, secret), text);
}

/** What the step of a generation answered; undefined if there is none. */
function issuedValues({ resources }: SlotsOf, { name, fields }: IssuedConfig, generation: number): Values | undefined {
  if (generation === EMPTY) return undefined;
  const named = `${slugOf(name)}-key-${generation}`;
  const made = resources.find(({ type, urn }) => type === "command:local:Command" && nameOf(urn) === named);
  try {
    const { values } = JSON.parse(plain(made?.outputs?.stdout) ?? "") as { readonly values?: Values };
    return fields.every((field) => values?.[field] !== undefined) ? values : undefined;
  } catch {
    return undefined;
  }
}

/** The credentials of these states, each to be tried. */
export const knownCredentials = <S extends IssuedConfig>(
  kind: IssuedKind<S>,
  stack: KnownStack,
  secret: S,
  states: readonly SecretState[],
): Known[] =>
  states.flatMap((state) => {
    const { active, previous } = credentialsOf(kind, stack, secret, state);
    return [active, previous].flatMap((known): Known[] => {
      if (known === undefined) return [];
      const { generation, values, entries } = known;
      const tried = async () => {
        const { answer, evidence } = await connectIssuer(kind.referenceOf(secret)).verify(values, { limit: 10_000 });
        const seen = answer === "unknown" ? { unseen: evidence } : answer;
        return { generation, name: `generation ${generation}`, of: "its issuer", answer: seen };
      };
      return [{ generation, entries, tried }];
    });
  });

/** The credential that the store must hold before the update acts. */
export function credentialInUse<S extends IssuedConfig>(
  kind: IssuedKind<S>,
  stack: KnownStack,
  secret: S,
  { finished }: Decision,
): CredentialInUse<string> | undefined {
  const values =
    finished === undefined
      ? adoptedOf(kind, stack.config, secret)
      : credentialsOf(kind, stack, secret, finished).active?.values;
  if (values === undefined) return undefined;
  const kept = shapeKept(stack.resources, secret.name);
  const entries = keyEntries(issuedFields, secret, values, keyShapes(issuedFields, secret, kept));
  const generation = finished === undefined ? 0 : activeGeneration(finished);
  return { generation, entries: writtenBefore(entries, secret, kept) };
}
