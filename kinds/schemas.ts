import type { Traits } from "../core/traits";
import { alpacaKey } from "./alpaca-key/traits";
import { alternatingUsers, singleUser } from "./postgres-password/traits";
import { vaultDynamic } from "./vault-dynamic/traits";
import { vaultStatic } from "./vault-static/traits";

/** Every kind of secret, by its strategy where `kind` has several, else by `kind` itself. */
const TRAITS = {
  "alternating-users": alternatingUsers,
  "single-user": singleUser,
  "vault-static": vaultStatic,
  "vault-dynamic": vaultDynamic,
  "alpaca-key": alpacaKey,
} as const satisfies Readonly<Record<string, Traits>>;

export type KindName = keyof typeof TRAITS;

/** What tells a secret's kind: two keys of the config. */
export interface OfKind {
  readonly kind: string;
  readonly strategy?: string | undefined;
}

/** What a secret's kind is called in the registries. */
export const kindOf = ({ kind, strategy }: OfKind): KindName => (strategy ?? kind) as KindName;

/** What is true of a secret's kind. */
export const traitsOf = (secret: OfKind): Traits => TRAITS[kindOf(secret)];

/** Whether a secret is a login of a database that the config names. */
export const hasDatabase = <S extends OfKind>(secret: S): secret is Extract<S, { readonly database: unknown }> =>
  traitsOf(secret).hasDatabase;
