import * as z from "zod";
import { calendarSettings } from "../../core/calendar-schema";
import { type DocumentKind, documentKey, documentSettings } from "../../core/document-settings";
import { parseDuration } from "../../core/duration";
import { labelDate } from "../../core/key-label";
import { duration, hooks, httpUrl, policyOverride, restart, secretName, settings, text } from "../../core/schema-parts";
import { secret } from "../../core/secret-fields";
import { dryRun } from "../issuer/schema";

/** The name of a pair that the config gives none. */
export const ALPACA_NAME = "alpaca/api_key";

/** A key pair of Alpaca. Only the operator can make one (on the dashboard), so its values come from `alpacaKeys`. */
export const alpacaKey = settings({
  /** What kind of credential it is. */
  kind: z.literal("alpaca-key"),
  /** Default `alpaca/api_key`: the name in the audit log, in `alpacaKeys` and in requests; the store has the two paths. */
  name: secretName.default(ALPACA_NAME),
  /** Default `alpaca/api_key_id`. A change writes the pair to the new path. */
  keyIdPath: secretName.default("alpaca/api_key_id"),
  /** Default `alpaca/api_secret_key`. A change writes the pair to the new path. */
  secretKeyPath: secretName.default("alpaca/api_secret_key"),
  ...documentSettings,
  /** For json and both: the names of the document's keys. Default: `keyId` and `secretKey`. */
  keys: settings({
    /** The key of the key id. Default `keyId`. */
    keyId: documentKey.default("keyId"),
    /** The key of the secret key. Default `secretKey`. */
    secretKey: documentKey.default("secretKey"),
  }).optional(),
  /**
   * The account number that every pair must belong to. Default: that of the pair in use, which must answer for it; so this
   * is needed only if the pair in use was deleted before a new one was supplied.
   */
  account: z.string().min(1).optional(),
  /** Run after the restarts: it must exit with status 0 and print no line that says ERROR. */
  dryRun: dryRun.optional(),
  /** The services that read it, restarted in this order. */
  restart,
  ...hooks,
  policy: policyOverride,
  ...calendarSettings,
});

/** What a document of a pair can contain. */
export const PAIR_DOCUMENT: DocumentKind = {
  parts: ["keyId", "secretKey"],
  needed: ["keyId", "secretKey"],
  given: {},
};

const LABEL = "expected a text with a date at its end, such as paper-trading-2026-11-23";

const keyPart = secret(text(/^\S{6,}$/, "expected at least 6 characters and no space"));

/** One key pair as the dashboard shows it once. */
export const keyPair = settings({
  /** As on the dashboard, with the day it was made at its end: `paper-trading-2026-11-23`. Never used twice. */
  label: z
    .string(LABEL)
    .max(100)
    .refine((label) => labelDate(label) !== undefined, LABEL),
  keyId: keyPart,
  secretKey: keyPart,
});

/** The pairs of one secret. */
export const keyPairs = settings({
  /** The newest pair. A new label is what rotates. */
  current: keyPair,
  /** The previous pair, through its grace period: what a rollback returns to. */
  previous: keyPair.optional(),
}).superRefine(({ current, previous }, context) => {
  if (previous === undefined) return;
  const same = (message: string) => context.addIssue({ code: "custom", path: ["previous"], message });
  if (previous.label === current.label) same("expected another label than that of current, found the same");
  else if (previous.keyId === current.keyId || previous.secretKey === current.secretKey)
    same("expected another pair than current, found the same under another label");
});

/** Alpaca's API. */
export const alpaca = settings({
  /** This environment's: https://paper-api.alpaca.markets or https://api.alpaca.markets. */
  baseUrl: httpUrl,
  /** The other environment's, queried only to explain why a pair is refused. Default: Alpaca's own. */
  otherUrl: httpUrl.optional(),
  /** How long a new pair may answer 401 before it is refused: Alpaca takes seconds to activate one. Default 30s. */
  activationWait: duration.default(parseDuration("30s")),
});

export type AlpacaConfig = z.output<typeof alpaca>;
export type KeyPair = z.output<typeof keyPair>;
export type KeyPairs = z.output<typeof keyPairs>;
export type AlpacaKeyConfig = z.output<typeof alpacaKey>;
