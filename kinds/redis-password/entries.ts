import { type DocumentShape, documentEntry, type KeptShape, keysFor, shapesOf } from "../../core/document";
import { documentShape, hasValues } from "../../core/document-settings";
import { rendered } from "../../core/template";
import type { StoreEntry } from "../../stores/store";
import { type RedisPasswordConfig, redisDocument } from "./schema";

/** A password, and how a text is made of it, which may be known later. */
export interface StoredPassword<V> {
  readonly password: V;
  readonly apply: (password: V, text: (plain: string) => string) => V;
}

/** For a password that is known. */
export const plainly = (password: string, text: (plain: string) => string): string => text(password);

/** The shapes of the secret's document: as the config says, then as the store may still hold it. Empty if it has none. */
export function documentShapes(secret: RedisPasswordConfig, kept: KeptShape | undefined): readonly DocumentShape[] {
  const now = documentShape(secret, redisDocument(secret));
  return now === undefined ? [] : shapesOf(now, kept);
}

/** The store's entries while a password is in use: its document in each of these shapes, then the value. */
export function passwordEntries<V>(
  secret: RedisPasswordConfig,
  shapes: readonly DocumentShape[],
  { password, apply }: StoredPassword<V>,
): StoreEntry<V>[] {
  const { user: username } = secret;
  const documents = shapes.map((shape) =>
    documentEntry(shape, secret.removedKeys, { username }, (template) =>
      apply(password, (plain) => String(rendered(template, { username, password: plain }))),
    ),
  );
  return hasValues(secret) ? [...documents, { path: secret.name, value: password }] : documents;
}

/** What an external write of the password, which a request adopts, leaves in the store: of a document its own key alone. */
export function adoptedEntries<V>(
  secret: RedisPasswordConfig,
  shapes: readonly DocumentShape[],
  password: StoredPassword<V>,
): StoreEntry<V>[] {
  const passwordAlone = shapes.map((shape): DocumentShape => {
    const keys = keysFor(shape, "password").map((key) => [key, shape.keys[key] ?? ""] as const);
    return keys.length === 0 ? shape : { path: shape.path, keys: Object.fromEntries(keys) };
  });
  return passwordEntries(secret, passwordAlone, password);
}
