import { type Config, kindOf, policyOf, type SecretConfig } from "../config";
import { type Decision, decide } from "../core/decide";
import type { SecretState } from "../core/state";
import { alpacaKey } from "./alpaca-key";
import { apiKey } from "./api-key";
import { issuedApiKey } from "./api-key/issued";
import { custom } from "./custom";
import type { DecidingConfig, Kind } from "./kind";
import { postgresPassword } from "./postgres-password";
import { redisPassword } from "./redis-password";
import type { KindName } from "./schemas";
import { vaultDynamic } from "./vault-dynamic";
import { vaultStatic } from "./vault-static";

/** Every kind of secret. A kind that is missing here, or lacks a part, does not compile. */
const KINDS = {
  "alternating-users": postgresPassword,
  "single-user": postgresPassword,
  "vault-static": vaultStatic,
  "vault-dynamic": vaultDynamic,
  "alpaca-key": alpacaKey,
  "api-key": apiKey,
  "issued-api-key": issuedApiKey,
  "redis-password": redisPassword,
  custom,
} satisfies Readonly<Record<KindName, Kind>>;

/** All kinds; those of two names twice. */
export const allKinds = (): readonly Kind[] => Object.values(KINDS);

/** The kind of a secret. */
export const kindFor = (secret: SecretConfig): Kind => KINDS[kindOf(secret)];

/** What the stack's state says of a secret. */
export interface KnownState {
  readonly finished: SecretState | undefined;
  readonly recorded: SecretState | undefined;
}

/** What was observed outside of the stack, by the secret's name. */
export type SeenOutside = Readonly<Record<string, object | undefined>>;

/**
 * Observes what is outside of the stack for each of these secrets. Used by the program and the CLI.
 *
 * @throws UnavailableError if a decision needs an answer and there is none; nothing was changed
 */
export async function observe(
  config: Config,
  secrets: readonly SecretConfig[],
  known: (secret: string) => KnownState,
  now: Date,
): Promise<SeenOutside> {
  const seen = secrets.map(async (secret) => [
    secret.name,
    await kindFor(secret).observe(secret, { config, now, ...known(secret.name) }),
  ]);
  return Object.fromEntries(await Promise.all(seen));
}

/**
 * What this update does to a secret of the config. Used by the program and the CLI.
 *
 * @param seen what its kind has observed; empty if nothing was observed
 * @throws RequestRefusedError
 */
export function decideSecret(
  config: DecidingConfig,
  secret: SecretConfig,
  known: KnownState,
  now: Date,
  seen: object = {},
): Decision {
  return decide({
    secret: secret.name,
    now,
    policy: policyOf(config, secret),
    request: config.request?.secret === secret.name ? config.request : undefined,
    ...known,
    rules: kindFor(secret).rules(secret, config, seen),
  });
}
