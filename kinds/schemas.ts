import * as z from "zod";
import type { ConfigPart, StorePath } from "../core/config-part";
import type { Problem } from "../core/problem";
import { byKind } from "../core/schema-parts";
import type { OfKind, Traits } from "../core/traits";
import { alpacaKeyInConfig } from "./alpaca-key/checks";
import { apiKeyInConfig } from "./api-key/checks";
import { issuedApiKeyInConfig } from "./api-key/issued/checks";
import { customInConfig } from "./custom/checks";
import { alternatingUsersInConfig, singleUserInConfig } from "./postgres-password/checks";
import { redisPasswordInConfig } from "./redis-password/checks";
import { vaultDynamicInConfig } from "./vault-dynamic/checks";
import { vaultStaticInConfig } from "./vault-static/checks";

/**
 * Every kind's part in the config, a line each: by its strategy if a `kind` has several, else by the `kind` itself; after
 * `issued-` if the secret has `issue`.
 */
const KINDS = {
  "alternating-users": alternatingUsersInConfig,
  "single-user": singleUserInConfig,
  "vault-static": vaultStaticInConfig,
  "vault-dynamic": vaultDynamicInConfig,
  "alpaca-key": alpacaKeyInConfig,
  "api-key": apiKeyInConfig,
  "issued-api-key": issuedApiKeyInConfig,
  "redis-password": redisPasswordInConfig,
  custom: customInConfig,
};

export type KindName = keyof typeof KINDS;

type Part = (typeof KINDS)[KindName];

/** A secret of the config. */
export type SecretConfig = z.output<Part["schema"]>;

/** The options of a secret's schema: one for each `kind`, itself made of one for each strategy if there are several. */
function optionsOf(kinds: Readonly<Record<string, { readonly schema: z.ZodType }>>): z.ZodType[] {
  const options = new Map<unknown, Set<z.ZodType>>();
  for (const { schema } of Object.values(kinds)) {
    const [kind] = schema._zod.propValues?.kind ?? [];
    options.set(kind, (options.get(kind) ?? new Set()).add(schema));
  }
  return [...options.values()].map(([only, ...others]) =>
    others.length === 0 ? (only as z.ZodType) : z.discriminatedUnion("strategy", [only, ...others] as never),
  );
}

/** The schema of a secret. */
export const secretSchema = z.discriminatedUnion(
  "kind",
  optionsOf(KINDS) as never,
  byKind,
) as unknown as z.ZodType<SecretConfig>;

/** The part of the config that one kind's checks read. */
type Takes<P> = P extends ConfigPart<infer _Secret, infer C> ? (config: C) => void : never;

/** The part of the config that the checks of all kinds read. */
type CheckedConfig = Takes<Part> extends (config: infer C) => void ? C : never;

/** A kind's part, called with a secret of that kind. */
type AnyPart = ConfigPart<SecretConfig, CheckedConfig>;

/** The name of a secret's kind in the registries. */
export const kindOf = ({ kind, strategy, issue }: OfKind): KindName =>
  (strategy ?? (issue === undefined ? kind : `issued-${kind}`)) as KindName;

/** Whether a secret's kind exists: a secret that the schema has refused may have another. */
export const isOfKind = (secret: OfKind): boolean => Object.hasOwn(KINDS, kindOf(secret));

const partOf = (secret: OfKind) => KINDS[kindOf(secret)] as AnyPart;

/** The traits of a secret's kind. */
export const traitsOf = (secret: OfKind): Traits => partOf(secret).traits;

/** Whether a secret is a login of a database that the config names. */
export const hasDatabase = <S extends OfKind>(secret: S): secret is Extract<S, { readonly database: unknown }> =>
  traitsOf(secret).hasDatabase;

/** The paths of a secret in the store, the value of a login after its user name. */
export const storePaths = (secret: SecretConfig): readonly StorePath[] => partOf(secret).paths(secret);

/** {@link storePaths} without the config keys. */
export const pathsOf = (secret: SecretConfig): string[] => storePaths(secret).map(({ path }) => path);

/** The keys of each JSON document of a secret; empty if it has none. */
export function documentsOf(secret: SecretConfig): {
  readonly documents?: Readonly<Record<string, readonly string[]>>;
} {
  const found = partOf(secret).documents?.(secret) ?? [];
  if (found.length === 0) return {};
  return { documents: Object.fromEntries(found.map(({ path, keys }) => [path, Object.keys(keys)])) };
}

/** The servers that a secret uses. */
export const addressesOf = (secret: SecretConfig): readonly string[] => partOf(secret).addresses(secret);

/** The default name of a secret. */
export const defaultNameOf = (kind: unknown): string | undefined =>
  typeof kind === "string" && Object.hasOwn(KINDS, kind)
    ? (KINDS as Record<string, AnyPart>)[kind]?.defaultName
    : undefined;

/** Checks of a secret against the rest of the config. */
export const checkSecret = (config: CheckedConfig, secret: SecretConfig, index: number): readonly Problem[] =>
  partOf(secret).check(config, { index, secret });

/** Checks across the secrets of a kind and the kind's own keys of the config. */
export const CHECKS_TOGETHER: ReadonlySet<(config: CheckedConfig) => readonly Problem[]> = new Set(
  Object.values(KINDS).flatMap(({ checksTogether }) => [...checksTogether]),
);
