import { type DocumentShape, documentEntry, type KeptShape, keysFor, shapesOf } from "../../core/document";
import { type DocumentConfig, type DocumentKind, documentShape, hasValues } from "../../core/document-settings";
import { rendered } from "../../core/template";
import type { StoreEntry } from "../../stores/store";

/** A login, and how a text is made of its password, which may be known later. */
export interface StoredLogin<V> {
  readonly username: string;
  readonly password: V;
  readonly apply: (password: V, text: (plain: string) => string) => V;
}

/** For a password that is known. */
export const plainly = (password: string, text: (plain: string) => string): string => text(password);

/** The shapes of the secret's document: as the config says, then as the store may still hold it. Empty if it has none. */
export function documentShapes(
  secret: DocumentConfig,
  kind: DocumentKind,
  kept: KeptShape | undefined,
): readonly DocumentShape[] {
  const now = documentShape(secret, kind);
  return now === undefined ? [] : shapesOf(now, kept);
}

/**
 * The store's entries while a login is in use: its document in each of these shapes, then the values.
 *
 * @param usernamePath a path of its own for the user name
 */
export function loginEntries<V>(
  secret: DocumentConfig,
  shapes: readonly DocumentShape[],
  { username, password, apply }: StoredLogin<V>,
  usernamePath: string | undefined,
): StoreEntry<V>[] {
  const documents = shapes.map((shape) =>
    documentEntry(shape, secret.removedKeys, { username }, (template) =>
      apply(password, (plain) => String(rendered(template, { username, password: plain }))),
    ),
  );
  if (!hasValues(secret)) return documents;
  const name = usernamePath === undefined ? [] : [{ path: usernamePath, value: username as V, public: true as const }];
  return [...documents, ...name, { path: secret.name, value: password }];
}

/** What an external write of the password, which a request adopts, leaves of a document: its own key alone. */
export const passwordAlone = (shapes: readonly DocumentShape[]): readonly DocumentShape[] =>
  shapes.map((shape) => {
    const keys = keysFor(shape, "password").map((key) => [key, shape.keys[key] ?? ""] as const);
    return keys.length === 0 ? shape : { path: shape.path, keys: Object.fromEntries(keys) };
  });
