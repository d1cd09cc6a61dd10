import { type Config, isLeased, isRotatedByVault, policyOf, type SecretConfig } from "../config";
import { type Decision, decide, type Rules } from "../core/decide";
import { labelDate } from "../core/key-label";
import type { SecretState } from "../core/state";
import { leaseFingerprint } from "../kinds/vault-dynamic/definition";

/** What the stack's state says of a secret. */
export interface KnownState {
  readonly finished: SecretState | undefined;
  readonly recorded: SecretState | undefined;
}

/** What was seen outside of the stack. */
export interface Seen {
  readonly now: Date;
  /** When Vault rotated last, where it does by itself. */
  readonly rotation?: string | undefined;
  /** Whether Alpaca says that the previous pair is gone. */
  readonly previousGone?: boolean;
  /** Who still uses a login whose grace period is over, in words; empty where nobody does. */
  readonly previousInUse?: string | undefined;
}

/** What a decision reads of the config. Of its secrets no value: that there is one, and labels. */
export type DecidingConfig = Pick<Config, "policy" | "request" | "adopted" | "alpacaKeys">;

/**
 * What this update does to a secret of the config. The program and the CLI both ask here.
 *
 * @throws RequestRefusedError
 */
export function decideSecret(config: DecidingConfig, secret: SecretConfig, known: KnownState, seen: Seen): Decision {
  return decide({
    secret: secret.name,
    now: seen.now,
    policy: policyOf(config, secret),
    request: config.request?.secret === secret.name ? config.request : undefined,
    ...known,
    rules: rulesOf(config, secret, seen),
  });
}

/** How a secret's kind decides. */
export function rulesKind(secret: SecretConfig): Rules["kind"] {
  if (isRotatedByVault(secret)) return "rotated-by-vault";
  if (isLeased(secret)) return "leases";
  return secret.kind === "alpaca-key" ? "supplied-key" : "password";
}

function rulesOf(config: DecidingConfig, secret: SecretConfig, seen: Seen): Rules {
  const { rotation, previousGone = false, previousInUse } = seen;
  if (isRotatedByVault(secret)) return { kind: "rotated-by-vault", rotation };
  if (isLeased(secret)) return { kind: "leases", definition: leaseFingerprint(secret) };
  if (secret.kind === "alpaca-key") {
    const keys = config.alpacaKeys[secret.name];
    if (keys === undefined) throw new Error("crossChecks must have asked for `alpacaKeys`");
    const { current, previous } = keys;
    const since = labelDate((previous ?? current).label);
    return { kind: "supplied-key", label: current.label, previousLabel: previous?.label, since, previousGone };
  }
  const overlaps = secret.strategy !== "single-user";
  return { kind: "password", overlaps, hasAdopted: config.adopted[secret.name] !== undefined, previousInUse };
}
