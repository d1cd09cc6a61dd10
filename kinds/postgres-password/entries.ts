import { type DocumentShape, documentEntry, type KeptShape, keysFor, shapesOf } from "../../core/document";
import { documentShape, hasValues } from "../../core/document-settings";
import { rendered } from "../../core/template";
import type { StoreEntry } from "../../stores/store";
import { type PostgresPasswordConfig, passwordDocument, usernamePathOf } from "./schema";

/** A login, and how a text is made of its password, which may be known later. */
export interface StoredLogin<V> {
  readonly username: string;
  readonly password: V;
  /** Whether a path of its own has the user name. On an adopted platform none may have it. */
  readonly named: boolean;
  readonly apply: (password: V, text: (plain: string) => string) => V;
}

/** For a password that is known. */
export const plainly = (password: string, text: (plain: string) => string): string => text(password);

/** The shapes of the secret's document: as the config says, then as the store may still hold it. Empty if it has none. */
export function documentShapes(secret: PostgresPasswordConfig, kept: KeptShape | undefined): readonly DocumentShape[] {
  const now = documentShape(secret, passwordDocument(secret));
  return now === undefined ? [] : shapesOf(now, kept);
}

/** The store's entries while a login is in use: its document in each of these shapes, then the values. */
export function loginEntries<V>(
  secret: PostgresPasswordConfig,
  shapes: readonly DocumentShape[],
  { username, password, named, apply }: StoredLogin<V>,
): StoreEntry<V>[] {
  const documents = shapes.map((shape) =>
    documentEntry(shape, secret.removedKeys, { username }, (template) =>
      apply(password, (plain) => String(rendered(template, { username, password: plain }))),
    ),
  );
  if (!hasValues(secret)) return documents;
  const name = { path: usernamePathOf(secret), value: username as V, public: true as const };
  return [
    ...documents,
    ...(named && secret.strategy === "alternating-users" ? [name] : []),
    { path: secret.name, value: password },
  ];
}

/** What an external write of the password, which a request adopts, leaves in the store: of a document its own key alone. */
export function adoptedEntries<V>(
  secret: PostgresPasswordConfig,
  shapes: readonly DocumentShape[],
  login: StoredLogin<V>,
): StoreEntry<V>[] {
  const passwordAlone = shapes.map((shape): DocumentShape => {
    const keys = keysFor(shape, "password").map((key) => [key, shape.keys[key] ?? ""] as const);
    return keys.length === 0 ? shape : { path: shape.path, keys: Object.fromEntries(keys) };
  });
  return loginEntries(secret, passwordAlone, { ...login, named: false });
}
