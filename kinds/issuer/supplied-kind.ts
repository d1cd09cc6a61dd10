import type * as z from "zod";
import type { Config, SecretConfig } from "../../config";
import type { DocumentConfig } from "../../core/document-settings";
import type { SupplyWords } from "../../core/supply-words";
import type { Patience, Values, Verdict } from "./issuer";
import type { dryRun } from "./schema";

/** A key as the operator supplies it. */
export interface SuppliedKey {
  /** What the issuer's own pages call it, with the day it was made at its end. */
  readonly label: string;
  readonly values: Values;
}

/** The keys of one secret in the config. */
export interface SuppliedKeys {
  /** The newest. A new label is what rotates. */
  readonly current: SuppliedKey;
  /** The previous one, through its grace period. */
  readonly previous?: SuppliedKey | undefined;
}

/** A secret whose issuer is outside of the platform. */
export type IssuedSecret = SecretConfig & DocumentConfig & { readonly dryRun?: z.output<typeof dryRun> | undefined };

/** The part of the config with the keys. */
export type SuppliedConfig = Pick<Config, "alpacaKeys" | "apiKeys">;

/** The part of the config that says what keys there are, and where they are tried. */
export type KeysConfig = SuppliedConfig & Pick<Config, "alpaca" | "environment">;

/** What messages call things, whatever the config. */
export interface KeyTerms {
  /** A key of the secret: `pair`, `key`. */
  readonly noun: string;
  /** What the config no longer has of a key that was taken out: `pair`, `value`. */
  readonly value: string;
  /** The key of the config with the keys: `alpacaKeys`. */
  readonly configKey: "alpacaKeys" | "apiKeys";
  /** How a new key comes into the config; also for decisions. */
  readonly supply: SupplyWords;
  /** How a label becomes a new one, as a sentence. */
  readonly labelIt: string;
  /** How an update comes to see the end of the previous key, after a colon. */
  readonly seesEnd: string;
  /** The command by which the previous key leaves the config. */
  readonly forget: string;
}

/** What messages of one stack call things. */
export interface IssuerWords extends KeyTerms {
  /** Who judges keys: `Alpaca`, `api.example.com`. */
  readonly issuer: string;
  /** How the operator makes a new key, as sentences; the last goes on with the command that supplies it. */
  readonly make: string;
  /** Where the operator sees keys: `on the dashboard`. */
  readonly where: string;
  /** How the operator ends a key, as sentences. */
  readonly end: (label: string | null | undefined) => string;
  /** The command that supplies a new key of this secret, without `rotation`. */
  readonly add: string;
  /** Why a rollback to a key that the issuer refuses is impossible, and what helps. */
  readonly rollbackRefused: (key: SuppliedKey) => string;
}

/**
 * A kind of secret whose values an operator supplies and an issuer outside of the platform judges: all that differs between
 * such kinds, beside the component.
 */
export interface SuppliedKind<S extends IssuedSecret> {
  readonly kind: S["kind"];
  /** The fields of a key, in the order in which they are written. */
  fields(secret: S): readonly string[];
  /** The path of a field in the store. */
  pathOf(secret: S, field: string): string;
  /** What was asked about a key, for people: `GET /v2/account with paper-2026-11-23`. */
  question(secret: S, key: SuppliedKey): string;
  /** That a key is not the one that the outputs keep under its label; undefined if it is. In words, without the label. */
  differs(
    secret: S,
    key: SuppliedKey,
    kept: Readonly<Record<string, unknown>>,
  ): { readonly expected: string; readonly found: string } | undefined;
  /** How a key is named for people. */
  shown(key: SuppliedKey): string;
  /** Whether a key is another one's, under whatever label. */
  isSame(one: Values, other: Values): boolean;
  /** A key as the config has it. */
  written(key: SuppliedKey): object;
  /** The keys in the config; undefined if there are none. */
  keysIn(config: SuppliedConfig, secret: Pick<S, "name">): SuppliedKeys | undefined;
  /** Whether the issuer accepts a key. Never throws for what the issuer answers. */
  verify(config: KeysConfig, secret: S, values: Values, patience?: Patience): Promise<Verdict>;
  terms(secret: Pick<S, "name">): KeyTerms;
  words(config: KeysConfig, secret: S): IssuerWords;
}
