import type { DocumentShape } from "../../core/document";
import type { DocumentConfig, DocumentKind } from "../../core/document-settings";
import type { SecretState, SlotIndex } from "../../core/state";
import type { StoreEntry } from "../../stores/store";
import { loginEntries, passwordAlone, type StoredLogin } from "./entries";

/** What differs between the kinds whose passwords this stack makes. */
export interface OwnKind<S> {
  /** What the secret's document can contain. */
  document(secret: S): DocumentKind;
  /** The user of the platform as it was, generation 0. */
  firstUser(secret: S): string;
  /** The user who logs in with the password of a slot. */
  userOf(secret: S, state: SecretState, slot: SlotIndex): string;
  /** The path of its own that a login's user name has; undefined if it has none. */
  usernamePath(secret: S): string | undefined;
}

/** The store's entries while a login is in use. @param named false: no path of its own has the user name, as on an adopted platform */
export const entriesOf = <S extends DocumentConfig, V>(
  kind: OwnKind<S>,
  secret: S,
  shapes: readonly DocumentShape[],
  login: StoredLogin<V>,
  named: boolean,
): StoreEntry<V>[] => loginEntries(secret, shapes, login, named ? kind.usernamePath(secret) : undefined);

/** What an external write of the password, which a request adopts, leaves in the store. */
export const adoptedEntries = <S extends DocumentConfig, V>(
  kind: OwnKind<S>,
  secret: S,
  shapes: readonly DocumentShape[],
  login: StoredLogin<V>,
): StoreEntry<V>[] => entriesOf(kind, secret, passwordAlone(shapes), login, false);
