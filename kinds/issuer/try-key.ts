import { seen, type Unseen } from "../../components/seen";
import { stored } from "../../components/stored-values";
import type { Config } from "../../config";
import { documentPath, hasDocument } from "../../core/document-settings";
import { textAt } from "../../stores/entries";
import type { LoginSeen } from "../kind-operations";
import type { Values } from "./issuer";
import type { IssuedSecret, SuppliedKind } from "./supplied-kind";

/** Whether the issuer takes a key. Never throws. */
export async function seeKey<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  config: Config,
  secret: S,
  values: Values,
): Promise<LoginSeen["answer"]> {
  const found = await seen(() => kind.verify(config, secret, values, { limit: 10_000, timeout: 5000 }));
  if ("unseen" in found) return found satisfies Unseen;
  return found.answer === "unknown" ? { unseen: found.evidence } : found.answer;
}

/** A key as the store holds it. */
export interface StoredKey {
  /** A field that the store lacks is undefined. */
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly versions: string;
}

/** The key that the store holds; from the document if there is one. Undefined if a path is empty. */
export async function storedKey<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  config: Config,
  secret: S,
): Promise<StoredKey | undefined> {
  const fields = kind.fields(secret);
  if (hasDocument(secret)) {
    const path = documentPath(secret);
    const found = await stored(config, path);
    if (found === undefined) return undefined;
    const values = fields.map((field) => [field, textAt(found, secret.keys?.[field] ?? field)]);
    return { values: Object.fromEntries(values), versions: `${path} has version ${found.version}` };
  }
  const found = await Promise.all(fields.map((field) => stored(config, kind.pathOf(secret, field))));
  if (found.some((one) => one === undefined)) return undefined;
  const versions = fields.map((field, index) => {
    const version = `version ${found[index]?.version}`;
    return index === 0 ? `${kind.pathOf(secret, field)} has ${version}` : `${kind.pathOf(secret, field)} ${version}`;
  });
  const values = fields.map((field, index) => [field, textAt(found[index], undefined)]);
  return { values: Object.fromEntries(values), versions: versions.join(", ") };
}

/** The values of a key that the store holds completely; undefined otherwise. */
export const whole = (key: StoredKey | undefined): Values | undefined =>
  key !== undefined && Object.values(key.values).every((value) => value !== undefined)
    ? (key.values as Values)
    : undefined;
