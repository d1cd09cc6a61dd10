import { type Config, type PostgresPasswordConfig, policyOf, referenceOf, type SecretConfig } from "../../config";
import { graceEndsAt, graceIsOver, graceLimitAt } from "../../core/deadlines";
import { messageOf } from "../../core/errors";
import { useWords } from "../../core/login-use";
import type { Policy } from "../../core/policy";
import { other, type SecretState } from "../../core/state";
import { activeUsername } from "./roles";

/** Who still uses a login whose grace period is over, in words; empty if nobody does, undefined if nobody was asked. */
export interface PasswordSeen {
  readonly previousInUse?: string | undefined;
}

/** Who still uses the previous login of a secret, in words, by the secret's name; left out where nobody was asked. */
export type PreviousInUse = Readonly<Record<string, string | undefined>>;

type Asked = Pick<Config, "secrets" | "policy">;

/**
 * Asks each server who still uses a login whose grace period is over, before an update revokes it. Never throws: where the
 * server does not answer, nobody can tell that the login is unused, and it stays.
 */
export async function seeOldLogins(
  config: Asked,
  previous: Readonly<Record<string, { readonly state?: SecretState | undefined } | undefined>>,
  now: Date,
): Promise<PreviousInUse> {
  const asked = config.secrets.map(
    async (secret): Promise<[string, string | undefined]> => [
      secret.name,
      isAlternating(secret)
        ? await seeOldLogin(secret, policyOf(config, secret), previous[secret.name]?.state, now)
        : undefined,
    ],
  );
  return Object.fromEntries(await Promise.all(asked));
}

/** {@link seeOldLogins} for one secret; undefined where nobody is asked. */
export async function seeOldLogin(
  secret: PostgresPasswordConfig,
  policy: Policy,
  state: SecretState | undefined,
  now: Date,
): Promise<string | undefined> {
  if (!isAlternating(secret) || state === undefined || !graceIsOver(state, policy, now)) return undefined;
  return oldLoginUse(secret, state);
}

/** The login that the active one replaced. */
const previousUsername = ({ strategy, role }: PostgresPasswordConfig, state: SecretState): string =>
  activeUsername(strategy, role, { ...state, active: other(state.active) });

async function oldLoginUse(secret: PostgresPasswordConfig, state: SecretState): Promise<string> {
  // Loaded when used: most updates end no login.
  const [{ withDatabase }, { usesOf }] = await Promise.all([import("../../clients/postgres"), import("./login-use")]);
  try {
    return await withDatabase(referenceOf(secret.database), async (client) =>
      useWords(await usesOf(client, previousUsername(secret, state))),
    );
  } catch (error) {
    return `unknown (${messageOf(error)})`;
  }
}

/** What to say of a login that is kept because somebody uses it; undefined where there is none. */
export function keptLogin(
  secret: SecretConfig,
  state: SecretState,
  inUse: string | undefined,
  policy: Policy,
): string | undefined {
  if (inUse === undefined || inUse === "" || state.revoked || !isAlternating(secret)) return undefined;
  return (
    `${secret.name}: the grace period of ${previousUsername(secret, state)} ended at ${graceEndsAt(state, policy).toISOString()}, ` +
    `but it is still in use: ${inUse}. The first update that finds it unused revokes it; from ` +
    `${graceLimitAt(state, policy).toISOString()} on (policy.gracePeriodMax) an update revokes it in any case. Move these ` +
    "users to the login in the store."
  );
}

const isAlternating = (secret: SecretConfig): secret is PostgresPasswordConfig =>
  secret.kind === "postgres-password" && secret.strategy === "alternating-users";
