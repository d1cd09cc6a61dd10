import {
  type AlpacaKeyConfig,
  type Config,
  type HostConfig,
  isLeased,
  isMadeByVault,
  isRotatedByVault,
  leaseRoleOf,
  type PostgresPasswordConfig,
  referenceOf,
  type SecretConfig,
  type ServiceConfig,
  type VaultPasswordConfig,
} from "../config";
import type { Decision, PreflightMode } from "../core/decide";
import { activeGeneration, previousGeneration, type SecretState } from "../core/state";
import { ownUsernames, rotatedLogins, usernamePathOf } from "../kinds/postgres-password/roles";
import type { StoreReference } from "../stores/store";
import { foreignAdvice, foreignPairAdvice, unknownAdvice } from "./foreign-advice";
import { serviceCheck, servicesOf, takes } from "./service-check";

/** Alpaca's `GET /v2/clock`, and where the pair to ask it with is kept. */
export interface MarketClock {
  readonly baseUrl: string;
  readonly keyIdPath: string;
  readonly secretKeyPath: string;
}

/** Who has to be told of a rotation, and when. */
export interface Notice {
  /** Milliseconds. */
  readonly before: number;
  /** The generation that is about to be replaced. */
  readonly generation: number;
  /** The lab's clock; null everywhere else. */
  readonly clock: string | null;
}

/** What surrounds every secret of a stack. `V` is a value that is secret: a text, or one that is known later. */
export interface Surroundings<V> {
  readonly store: StoreReference;
  /** The stack's name, for commands in messages. */
  readonly stack: string | undefined;
  /** The database of the audit log. */
  readonly audit: Readonly<Record<string, unknown>>;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Opens every host. Undefined where no service has one. */
  readonly privateKey: V | undefined;
  readonly marketClock: MarketClock | undefined;
  readonly allowOpenMarket: boolean;
  /** How long before a rotation by age the team must have been told, in milliseconds; undefined where it need not. */
  readonly notice: number | undefined;
  /** The lab's clock; undefined everywhere else. */
  readonly clock: string | undefined;
}

/** A value in the store. */
export interface EntryInUse<V> {
  readonly path: string;
  readonly value: V;
  /** Set where the value is no secret. */
  readonly public?: true;
}

/** The credential in use: it must be what the store holds, and log in where it is a login. */
export interface CredentialInUse<V> {
  readonly generation: number;
  readonly username?: string;
  readonly password?: V;
  readonly entries: readonly EntryInUse<V>[];
}

export interface PreflightQuestion<V> {
  readonly secret: SecretConfig;
  readonly decision: Pick<Decision, "state" | "mode" | "force">;
  /** Undefined where its value is not known. */
  readonly inUse: CredentialInUse<V> | undefined;
  /** The age that the credential may reach, in milliseconds. */
  readonly maxAge: number;
  /** Vault's database engine as a secret of it uses it. */
  readonly engineOf: (secret: VaultPasswordConfig) => Readonly<Record<string, unknown>>;
}

/**
 * Everything that the preflight of one secret asks, out of what is decided. The one place that says so: an update and the
 * CLI's own preflight ask the same.
 */
export function preflightInput<V>(around: Surroundings<V>, question: PreflightQuestion<V>) {
  const { secret, decision, inUse } = question;
  const { state, mode, force } = decision;
  const services = Object.entries(around.services);
  const used = new Set(services.flatMap(([, { hosts }]) => hosts));
  return {
    mode,
    // Not `secret`: what stands under that key is taken out of every message.
    secretName: secret.name,
    store: around.store,
    paths: pathsOf(secret),
    audit: around.audit,
    // Every service of the platform, not only those that restart (runbook, checklist: all services).
    services: services.map(([name, config]) => serviceCheck(name, config, secret.restart.includes(name))),
    takes: takes(servicesOf(secret.restart, around.services)),
    hosts: Object.fromEntries(Object.entries(around.hosts).filter(([host]) => used.has(host))),
    privateKey: around.privateKey,
    alpaca: around.marketClock,
    allowOpenMarket: around.allowOpenMarket,
    notice: noticeOf(state, around),
    current: asksInUse(secret, mode, force) ? inUse && currentOf(inUse) : undefined,
    // Where the value in use is not known, nothing else may be overwritten unseen.
    expected: mode === "rotation" && inUse === undefined && isStored(secret) ? ownUsernames(secret) : undefined,
    whenForeign: whenForeign(secret, { mode, state, stack: around.stack }, inUse?.generation),
    force,
    ...ownPart(question),
  };
}

/** Only what comes by itself has to be told before: a request is an operator's own decision. */
function noticeOf(state: SecretState, { notice, clock }: Surroundings<unknown>): Notice | undefined {
  if (notice === undefined || !state.byAge) return undefined;
  const replaced = previousGeneration(state) ?? activeGeneration(state) - 1;
  return { before: notice, generation: replaced, clock: clock === undefined ? null : state.rotatedAt };
}

/** A rollback and an emergency leave the credential in use behind, whatever the store holds of it. */
function asksInUse(secret: SecretConfig, mode: PreflightMode, force: boolean): boolean {
  if (mode === "rotation") return true;
  return secret.kind === "alpaca-key" ? mode === "adoption" : force;
}

function currentOf<V>({ generation, username, password, entries }: CredentialInUse<V>) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    entries,
    /** Whether it is the config's `adopted`, which the operator may have got wrong. */
    ...(password !== undefined && generation === 0 ? { adopted: true as const } : {}),
  };
}

/** Where the store keeps a secret. */
export function pathsOf(secret: SecretConfig): string[] {
  if (secret.kind === "alpaca-key") return [secret.keyIdPath, secret.secretKeyPath];
  if (isMadeByVault(secret)) return [];
  return secret.strategy === "alternating-users" ? [usernamePathOf(secret), secret.name] : [secret.name];
}

/** What the store holds while a login is in use. On a platform that was adopted it is the password alone. */
export function loginEntries<V>(
  secret: Extract<SecretConfig, { strategy: "single-user" | "alternating-users" }>,
  { generation, username, password }: { readonly generation: number; readonly username: V; readonly password: V },
): EntryInUse<V>[] {
  const entry = { path: secret.name, value: password };
  if (secret.strategy === "single-user" || generation === 0) return [entry];
  return [{ path: usernamePathOf(secret), value: username, public: true }, entry];
}

/** Whether this stack writes the password itself. */
const isStored = (secret: SecretConfig): secret is PostgresPasswordConfig =>
  secret.kind === "postgres-password" && !isMadeByVault(secret);

type Decided = Pick<Decision, "mode" | "state">;

/** What to do where the store holds another value than the one in use; the end of a message. */
export function whenForeign(
  secret: SecretConfig,
  { mode, state, stack }: Decided & { readonly stack: string | undefined },
  inUse: number | undefined,
): string {
  if (isMadeByVault(secret)) return "";
  if (secret.kind === "alpaca-key") {
    if (mode === "adoption") return unknownPair(secret, state);
    return foreignPairAdvice(secret.name, mode === "rollback" ? activeGeneration(state) : undefined);
  }
  if (inUse === undefined) return unknownAdvice(secret.name, stack);
  const correct =
    inUse === 0
      ? `Make \`adopted\` the value in use, as in the store: pulumi config set --secret --path 'adopted["${secret.name}"]'. `
      : "";
  return correct + foreignAdvice(secret.name);
}

const unknownPair = ({ name }: AlpacaKeyConfig, { labels, active }: SecretState) =>
  `expected the store to hold the pair ${labels[active]}, the one in use. If that is a new pair, give the one in use as ` +
  `well: alpacaKeys["${name}"].previous`;

/** What only one kind of secret has. */
function ownPart({ secret, decision: { state }, maxAge, engineOf }: PreflightQuestion<unknown>) {
  if (secret.kind === "alpaca-key") return {};
  const database = referenceOf(secret.database);
  if (!isMadeByVault(secret)) {
    const logins = { ...rotatedLogins(secret.strategy, secret.role, state), maxAge };
    return { database: { ...database, roles: [secret.role], logins } };
  }
  const engine = {
    engine: engineOf(secret),
    database: { ...database, role: secret.role },
    taken: state.step.action !== "ADOPT",
  };
  if (isLeased(secret)) {
    return { leases: { ...engine, roles: secret.restart.map((service) => leaseRoleOf(secret, service)) } };
  }
  if (!isRotatedByVault(secret)) return {};
  const role = { mount: secret.vault.mount, name: secret.staticRole };
  return { vaultRole: { ...role, ...engine, schedule: secret.rotationSchedule !== undefined } };
}

/** Alpaca's clock, asked with the pair that the first key of the config has in the store. */
export function marketClock({ alpaca, secrets }: Pick<Config, "alpaca" | "secrets">): MarketClock | undefined {
  if (alpaca === undefined) return undefined;
  const key = secrets.find((secret) => secret.kind === "alpaca-key");
  return {
    baseUrl: alpaca.baseUrl,
    keyIdPath: key?.keyIdPath ?? "alpaca/api_key_id",
    secretKeyPath: key?.secretKeyPath ?? "alpaca/api_secret_key",
  };
}
