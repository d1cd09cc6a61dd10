import { documentsOf, type HostConfig, pathsOf, type SecretConfig, type ServiceConfig } from "../config";
import { takes } from "../config/rotation-takes";
import { type Market, marketAt } from "../core/calendar";
import type { Decision, PreflightMode } from "../core/decide";
import { activeGeneration, previousGeneration, type SecretState } from "../core/state";
import type { StoreReference } from "../stores/schemas";
import type { StoreEntry } from "../stores/store";
import { serviceCheck, servicesOf } from "./service-check";

/** Alpaca's `GET /v2/clock`, and the paths of the pair for it. */
export interface MarketClock {
  readonly baseUrl: string;
  readonly keyIdPath: string;
  readonly secretKeyPath: string;
  /** The keys of the pair, if both paths are one JSON document. */
  readonly keys?: readonly [string, string];
}

/** Who must be notified of a rotation, and when. */
export interface Notice {
  /** Milliseconds. */
  readonly before: number;
  /** The generation that is about to be replaced. */
  readonly generation: number;
  /** The lab's clock; null everywhere else. */
  readonly clock: string | null;
}

/** What the secrets of a stack share. `V` is a secret value: a text, or one that is known later. */
export interface Surroundings<V> {
  /** Every secret of the config. */
  readonly secrets: readonly SecretConfig[];
  readonly store: StoreReference;
  /** The stack's name, for commands in messages. */
  readonly stack: string | undefined;
  /** The database of the audit log. */
  readonly audit: Readonly<Record<string, unknown>>;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Opens every host, an `SshKey`. Undefined: the SSH agent does, or no service has one. */
  readonly privateKey: V | object | undefined;
  readonly marketClock: MarketClock | undefined;
  readonly allowOpenMarket: boolean;
  /** The hours of the market, if the config has them. */
  readonly market: Market | undefined;
  /** How long before a rotation by age the team must be notified, in milliseconds; undefined if it need not be. */
  readonly notice: number | undefined;
  /** The lab's clock; undefined everywhere else. */
  readonly clock: string | undefined;
}

/** The credential in use: it must be what the store holds, and must log in if it is a login. */
export interface CredentialInUse<V> {
  readonly generation: number;
  readonly username?: string;
  readonly password?: V;
  readonly entries: readonly StoreEntry<V>[];
}

/** What a kind computes its part of a preflight's input from. */
export interface KindQuestion<S extends SecretConfig> {
  readonly secret: S;
  readonly state: SecretState;
  /** The age that the credential may reach, in milliseconds. */
  readonly maxAge: number;
  /** Every secret of the config. */
  readonly secrets: readonly SecretConfig[];
  /** Every host of the config. */
  readonly hosts: Readonly<Record<string, HostConfig>>;
  readonly services: Readonly<Record<string, ServiceConfig>>;
}

/** A kind's part in its secrets' preflight. Pure. */
export interface KindAsks<S extends SecretConfig = SecretConfig> {
  /** What the preflight of a state's activation checks. */
  modeOf(state: SecretState): PreflightMode;
  /** Whether the credential in use must be the one in the store. `force`: a request says to overwrite another. */
  asksInUse(mode: PreflightMode, force: boolean): boolean;
  /** What the store may hold if the value in use is unknown; undefined if that is not checked. */
  expected(secret: S): readonly StoreEntry<string>[] | undefined;
  /** What to do if the store holds another value than the one in use; the end of a message. */
  whenForeign(secret: S, decided: Decided, inUse: number | undefined): string;
  /** What only this kind has in the input, such as its database. */
  own(question: KindQuestion<S>): Readonly<Record<string, unknown>>;
}

/** The input of a message about an external write. */
export interface Decided extends Pick<Decision, "mode" | "state"> {
  /** The stack's name, for commands. */
  readonly stack: string | undefined;
}

export interface PreflightQuestion<V> {
  readonly secret: SecretConfig;
  readonly asks: KindAsks;
  readonly decision: Pick<Decision, "state" | "mode" | "force">;
  /** Undefined if its value is not known. */
  readonly inUse: CredentialInUse<V> | undefined;
  /** The age that the credential may reach, in milliseconds. */
  readonly maxAge: number;
}

/**
 * Everything that the preflight of one secret checks, computed from what was decided. The only place for it: an update and
 * the CLI's own preflight check the same.
 */
export function preflightInput<V>(around: Surroundings<V>, question: PreflightQuestion<V>) {
  const { secret, asks, decision, inUse, maxAge } = question;
  const { state, mode, force } = decision;
  // Every service of the platform, not only those that restart (runbook, checklist: all services), once an update.
  const services = Object.entries(around.services).filter(
    ([name]) => state.platformSeenBy === undefined || secret.restart.includes(name),
  );
  const used = new Set(services.flatMap(([, { hosts }]) => hosts));
  return {
    mode,
    // Not `secret`: the value of that key is redacted from every message.
    secretName: secret.name,
    store: around.store,
    paths: pathsOf(secret),
    ...documentsOf(secret),
    audit: around.audit,
    services: services.map(([name, config]) => serviceCheck(name, config, secret.restart.includes(name))),
    takes: takes(servicesOf(secret.restart, around.services).map(({ config }) => config)),
    hosts: Object.fromEntries(Object.entries(around.hosts).filter(([host]) => used.has(host))),
    privateKey: around.privateKey,
    alpaca: around.marketClock,
    allowOpenMarket: around.allowOpenMarket,
    notice: noticeOf(state, around),
    ...calendarPart(state, mode, around),
    current: asks.asksInUse(mode, force) ? inUse && currentOf(inUse) : undefined,
    // If the value in use is not known, nothing else may be overwritten unseen.
    expected: mode === "rotation" && inUse === undefined ? asks.expected(secret) : undefined,
    whenForeign: asks.whenForeign(secret, { mode, state, stack: around.stack }, inUse?.generation),
    force,
    ...asks.own({ secret, state, maxAge, secrets: around.secrets, hosts: around.hosts, services: around.services }),
  };
}

/** Notice is needed only for automatic rotations: a request is an operator's own decision. */
function noticeOf(state: SecretState, { notice, clock }: Surroundings<unknown>): Notice | undefined {
  if (notice === undefined || !state.byAge) return undefined;
  const replaced = previousGeneration(state) ?? activeGeneration(state) - 1;
  return { before: notice, generation: replaced, clock: clock === undefined ? null : state.rotatedAt };
}

/**
 * The calendar as it was when this was decided. The step compares it with its own time: an operator may have confirmed the
 * plan hours later. Nothing if the config does not limit when rotations run.
 */
function calendarPart({ window, step }: SecretState, mode: PreflightMode, { market, clock }: Surroundings<unknown>) {
  const now = clock === undefined ? null : step.at;
  const until = window !== undefined && "until" in window ? { window: { until: window.until, now } } : {};
  const passedOver = window !== undefined && "passedOver" in window ? { passedOver: window.passedOver } : {};
  if (market === undefined || mode !== "rotation") return { ...until, ...passedOver };
  const { isOpen, until: changes } = marketAt(market, Date.parse(step.at));
  const hours = {
    name: market.name,
    isOpen,
    until: changes === undefined ? null : new Date(changes).toISOString(),
    now,
  };
  return { ...until, ...passedOver, exchange: hours };
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
