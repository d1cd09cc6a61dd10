import * as z from "zod";
import type { ConfigPart, StorePath } from "../core/config-part";
import type { Problem } from "../core/problem";
import { byKind, type } from "../core/schema-parts";
import type { OfKind, Traits } from "../core/traits";
import { alpacaKeyInConfig } from "./alpaca-key/checks";
import { alpacaKey } from "./alpaca-key/schema";
import { alternatingUsersInConfig, singleUserInConfig } from "./postgres-password/checks";
import { ownPassword } from "./postgres-password/schema";
import { vaultDynamicInConfig } from "./vault-dynamic/checks";
import { vaultDynamicPassword } from "./vault-dynamic/schema";
import { vaultStaticInConfig } from "./vault-static/checks";
import { vaultStaticPassword } from "./vault-static/schema";

/** Told apart by `strategy`, each with the keys that it knows; a strategy of Vault's is one more option here. */
const postgresPassword = z.discriminatedUnion(
  "strategy",
  [ownPassword, vaultStaticPassword, vaultDynamicPassword],
  type("expected an object with name, database, restart"),
);

/** What the config may say of a secret, by its `kind`: a line each. */
const SCHEMAS = [postgresPassword, alpacaKey] as const;

/** A secret of the config. */
export const secretSchema = z.discriminatedUnion("kind", SCHEMAS, byKind);

export type SecretConfig = z.output<typeof secretSchema>;

/** Every kind's part in the config: by its strategy where a `kind` has several, else by the `kind` itself. */
const KINDS = {
  "alternating-users": alternatingUsersInConfig,
  "single-user": singleUserInConfig,
  "vault-static": vaultStaticInConfig,
  "vault-dynamic": vaultDynamicInConfig,
  "alpaca-key": alpacaKeyInConfig,
};

export type KindName = keyof typeof KINDS;

type Part = (typeof KINDS)[KindName];

/** Takes the config as far as one kind's checks look at it. */
type Takes<P> = P extends ConfigPart<never, infer C> ? (config: C) => void : never;

/** The config as far as the checks of all kinds look at it. */
type CheckedConfig = Takes<Part> extends (config: infer C) => void ? C : never;

/** A kind's part as it is asked with a secret that is one of its own. */
type AnyPart = ConfigPart<SecretConfig, CheckedConfig>;

/** What a secret's kind is called in the registries. */
export const kindOf = ({ kind, strategy }: OfKind): KindName => (strategy ?? kind) as KindName;

/** Whether a secret is of a kind that there is: one that the schema has refused may not be. */
export const isOfKind = (secret: OfKind): boolean => Object.hasOwn(KINDS, kindOf(secret));

const partOf = (secret: OfKind) => KINDS[kindOf(secret)] as AnyPart;

/** What is true of a secret's kind. */
export const traitsOf = (secret: OfKind): Traits => partOf(secret).traits;

/** Whether a secret is a login of a database that the config names. */
export const hasDatabase = <S extends OfKind>(secret: S): secret is Extract<S, { readonly database: unknown }> =>
  traitsOf(secret).hasDatabase;

/** Where the store keeps a secret, the value of a login behind its user name. */
export const storePaths = (secret: SecretConfig): readonly StorePath[] => partOf(secret).paths(secret);

/** {@link storePaths} without the keys that say so. */
export const pathsOf = (secret: SecretConfig): string[] => storePaths(secret).map(({ path }) => path);

/** The servers that a secret is about. */
export const addressesOf = (secret: SecretConfig): readonly string[] => partOf(secret).addresses(secret);

/** The name of a secret to which the config gives none. */
export const defaultNameOf = (kind: unknown): string | undefined =>
  typeof kind === "string" && Object.hasOwn(KINDS, kind)
    ? (KINDS as Record<string, AnyPart>)[kind]?.defaultName
    : undefined;

/** What ties a secret to the rest of the config. */
export const checkSecret = (config: CheckedConfig, secret: SecretConfig, index: number): readonly Problem[] =>
  partOf(secret).check(config, { index, secret });

/** What ties the secrets of a kind, and the kind's own keys of the config, together. */
export const CHECKS_TOGETHER: ReadonlySet<(config: CheckedConfig) => readonly Problem[]> = new Set(
  Object.values(KINDS).flatMap(({ checksTogether }) => [...checksTogether]),
);
