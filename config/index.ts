import type { z } from "zod";
import { type Duration, parseDuration } from "../core/duration";
import type { Policy } from "../core/policy";
import { clientTls, type DatabaseConfig } from "../core/schema-parts";
import { hasDatabase, type SecretConfig } from "../kinds/schemas";
import { type CalendarConfig, CalendarFiles, calendarOf, earlinessOf } from "./calendar";
import { type Check, crossChecks, found } from "./checks";
import { expectation, linesOf } from "./messages";
import { PgServices } from "./pg-service";
import { type Config, schema } from "./schema";

export type { DatabaseConfig } from "../core/schema-parts";
export type { AlpacaConfig, AlpacaKeyConfig, KeyPair, KeyPairs } from "../kinds/alpaca-key/schema";
export type { ApiKeyConfig } from "../kinds/api-key/schema";
export type { PostgresPasswordConfig } from "../kinds/postgres-password/schema";
export { documentsOf, hasDatabase, kindOf, pathsOf, type SecretConfig, traitsOf } from "../kinds/schemas";
export type { VaultDynamicConfig } from "../kinds/vault-dynamic/schema";
export {
  isLeased,
  isMadeByVault,
  isRotatedByVault,
  leaseRoleOf,
  type VaultPasswordConfig,
} from "../kinds/vault-engine/engine";
export type { VaultStaticConfig } from "../kinds/vault-static/schema";
export type { CalendarConfig } from "./calendar";
export { eventTargets } from "./event-schema";
export type { Config, EventTargetConfig, HostConfig, NotifyConfig, ServiceConfig, StoreConfig } from "./schema";

/** A database password, however it is made. */
export type DatabasePasswordConfig = Extract<SecretConfig, { readonly database: unknown }>;

/** The Pulumi project's name, and so the namespace of its config. */
export const PROJECT = "secret-rotation";

/** The stack config is wrong. Lists every wrong key at once, with its path and what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(stack: string, lines: readonly string[]) {
    const count = lines.length === 1 ? "1 setting is" : `${lines.length} settings are`;
    super(
      `${count} wrong in the config of stack ${stack}:\n${lines.map((line) => `  ${PROJECT}:${line}`).join("\n")}\n` +
        `Correct ${lines.length === 1 ? "it" : "them"} in Pulumi.${stack}.yaml or with \`pulumi config set --path\`; nothing was changed.`,
    );
  }
}

/**
 * Reads the stack config.
 *
 * @param raw every key as Pulumi hands it over (`pulumi.runtime.allConfig()`): `secret-rotation:NAME` to text.
 * @param folder the project's, to which iCalendar files are relative. Default: the working folder, as for the program.
 * @throws ConfigError
 */
export function parseConfig(raw: Readonly<Record<string, string>>, stack: string, folder = process.cwd()): Config {
  return parseSettings(raw, stack, schema, crossChecks, folder);
}

/**
 * {@link parseConfig} for a part of the config: every key given must be one of `shape`'s.
 *
 * @param checksOf the checks across keys. They also run if single keys are wrong, so that every wrong key is named at once:
 * one that cannot run then finds nothing.
 * @throws ConfigError
 */
export function parseSettings<T extends Partial<Config>>(
  raw: Readonly<Record<string, string>>,
  stack: string,
  shape: z.ZodType<T>,
  checksOf: (config: T) => readonly Check[],
  folder = process.cwd(),
): T {
  const files = new CalendarFiles(folder);
  const services = new PgServices(process.env);
  const written: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(raw)) {
    if (key.startsWith(`${PROJECT}:`)) written[key.slice(PROJECT.length + 1)] = decode(text);
  }
  const settings = services.filled(written);
  const checked = shape.superRefine(
    (config, context) => {
      const checks = [services.problems, ...checksOf(config), () => files.problems(config)];
      const problems = found(checks, context.issues.length > 0);
      for (const { path, message } of problems) context.addIssue({ code: "custom", path: [...path], message });
    },
    { when: () => true },
  );
  const result = checked.safeParse(settings, { error: expectation });
  if (result.success) return withPassphrase(files.filled(result.data));
  throw new ConfigError(stack, linesOf(result.error.issues, { settings, schema: shape }));
}

/** Every database gets the passphrase of its client's key. */
function withPassphrase<T extends Partial<Config>>(config: T): T {
  const { sslPassword: sslpassword, secrets, audit } = config;
  if (sslpassword === undefined) return config;
  const filled = (secret: SecretConfig) =>
    hasDatabase(secret) ? { ...secret, database: { ...secret.database, sslpassword } } : secret;
  return {
    ...config,
    ...(secrets === undefined ? {} : { secrets: secrets.map(filled) }),
    ...(audit === undefined ? {} : { audit: { ...audit, sslpassword } }),
  };
}

/** The stack's policy with the secret's own overrides, its share of the jitter and its calendar. */
export function policyOf(config: Pick<Config, "policy"> & CalendarConfig, secret: SecretConfig): Policy {
  const { jitter, ...policy } = { ...config.policy, ...secret.policy };
  const calendar = calendarOf(config, secret);
  return {
    ...policy,
    ...(jitter === undefined ? {} : { early: earlinessOf(config, secret, jitter) }),
    ...(calendar === undefined ? {} : { calendar }),
  };
}

/** The database of `secret_rotation_log`: `audit`, else the database of the first secret that has one. */
export function auditDatabase(config: Pick<Config, "audit" | "secrets">): DatabaseConfig | undefined {
  return config.audit ?? config.secrets.find(hasDatabase)?.database;
}

/** How a step reaches a database; its password comes from PGPASSWORD or PGPASSFILE. */
export const referenceOf = ({ host, port, name, admin, sslmode, ...tls }: DatabaseConfig) => ({
  host,
  port,
  database: name,
  sslmode,
  ...(admin === undefined ? {} : { user: admin }),
  ...clientTls(tls),
});

/** Runbook: "24h advance notice". */
const DEFAULT_NOTICE = parseDuration("24h");

/** How long before a rotation by age the team must be notified; undefined if it need not be. */
export function noticeOf({ preflight, notify }: Pick<Config, "preflight" | "notify">): Duration | undefined {
  const notice = preflight.notice ?? (notify === undefined ? undefined : DEFAULT_NOTICE);
  return notice === 0 ? undefined : notice;
}

/** Pulumi hands objects and lists over as JSON and everything else as text. */
function decode(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
