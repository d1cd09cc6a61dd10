import type { z } from "zod";
import { crossChecks, type Problem } from "./config/checks";
import { type Config, type DatabaseConfig, type SecretConfig, schema } from "./config/schema";
import type { Policy } from "./rotation/policy";

export type {
  Config,
  DatabaseConfig,
  HostConfig,
  PostgresPasswordConfig,
  SecretConfig,
  ServiceConfig,
  StoreConfig,
} from "./config/schema";

/** The Pulumi project's name, and so the namespace of its config. */
export const PROJECT = "secret-rotation";

/** The keys whose values are secrets: never repeated in a message. */
const SECRET_KEYS = new Set<PropertyKey>(["adopted", "sshPrivateKey", "slackWebhook", "password"]);

/** The stack config is wrong. Lists every wrong key at once, with its path and what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(stack: string, problems: readonly Problem[]) {
    const lines = problems.map(({ path, message }) => `  ${where(path)}: ${message}`);
    const count = problems.length === 1 ? "1 setting is" : `${problems.length} settings are`;
    super(
      `${count} wrong in the config of stack ${stack}:\n${lines.join("\n")}\n` +
        `Correct them in Pulumi.${stack}.yaml or with \`pulumi config set\`; nothing was changed.`,
    );
  }
}

/**
 * Reads the stack config.
 *
 * @param raw every key as Pulumi hands it over (`pulumi.runtime.allConfig()`): `secret-rotation:NAME` to text.
 * @throws ConfigError
 */
export function parseConfig(raw: Record<string, string>, stack: string): Config {
  return parseSettings(raw, stack, schema, crossChecks);
}

/** {@link parseConfig} for a part of the config: every key given must be one of `shape`'s. @throws ConfigError */
export function parseSettings<T>(
  raw: Record<string, string>,
  stack: string,
  shape: z.ZodType<T>,
  checks: (config: T) => readonly Problem[],
): T {
  const settings: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(raw)) {
    if (key.startsWith(`${PROJECT}:`)) settings[key.slice(PROJECT.length + 1)] = decode(text);
  }
  const result = shape.safeParse(settings);
  const problems = result.success
    ? checks(result.data)
    : result.error.issues.flatMap((issue) => describe(issue, settings));
  if (!result.success || problems.length > 0) throw new ConfigError(stack, problems);
  return result.data;
}

/** The stack's policy with the secret's own overrides. */
export function policyOf(config: Pick<Config, "policy">, secret: SecretConfig): Policy {
  return { ...config.policy, ...secret.policy };
}

/** Where `secret_rotation_log` is: `audit`, else the database of the first secret that has one. */
export function auditDatabase(config: Pick<Config, "audit" | "secrets">): DatabaseConfig | undefined {
  return config.audit ?? config.secrets.find((secret) => "database" in secret)?.database;
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

function describe(issue: z.core.$ZodIssue, settings: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: "unknown key; remove it or correct its name",
    }));
  }
  const message = expectation(issue);
  return [{ path: issue.path, message: message.includes("found") ? message : message + found(issue.path, settings) }];
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `expected ${issue.expected}`;
  if (issue.code === "invalid_value") return `expected one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "invalid_union" && "discriminator" in issue) return `expected a known ${issue.discriminator}`;
  return issue.message;
}

/** What stands there, unless it is (or may be) a secret or the message says it already. */
function found(path: readonly PropertyKey[], settings: unknown): string {
  if (path.some((part) => SECRET_KEYS.has(part))) return "";
  const value = path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part], settings);
  if (value === undefined) return ", found nothing";
  return typeof value === "object" ? "" : `, found ${JSON.stringify(value)}`;
}

function where(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${PROJECT}:${text.slice(1)}`;
}
