import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { z } from "zod";
import { openWhenNeeded } from "../../clients/vault-session";
import { PROJECT, parseConfig, parseSettings } from "../../config";
import { type Config, schema } from "../../config/schema";
import { messageOf } from "../../core/errors";
import { openSession } from "../../stores";
import { UsageError } from "./errors";
import type { Project } from "./project";
import { runPulumi } from "./pulumi";

/** Placeholder of a secret that was not decrypted: valid as any text and as an address. */
export const HIDDEN = "https://hidden.invalid/";

/** The part of the config that holds no secret and that reading commands need. */
const outline = schema.pick({
  environment: true,
  policy: true,
  store: true,
  preflight: true,
  services: true,
  secrets: true,
  window: true,
  blackouts: true,
  market: true,
  audit: true,
  notify: true,
  events: true,
  evidence: true,
  approvals: true,
  lab: true,
  sslPassword: true,
});

/** {@link Config} without anything secret: what `status`, `report` and `remind` read in milliseconds. */
export type Outline = Pick<Config, keyof typeof outline.shape>;

/**
 * Reads the stack's settings file without starting Pulumi; secrets stay encrypted. If settings come from Pulumi ESC, or
 * there is no such file, it runs `pulumi config`.
 * @throws ConfigError, UsageError
 */
export async function readOutline(project: Project): Promise<Outline> {
  openWhenNeeded(() => readConfig(project));
  const open = await openConfig(project);
  // The audit log cannot be reached without it.
  const needed = `${PROJECT}:sslPassword` in open ? await rawConfig(project, { secrets: true }) : open;
  return partOf(needed, project, outline);
}

/** The whole config with its secrets decrypted, through `pulumi config`; the run may log in with it. @throws ConfigError, UsageError */
export async function readConfig(project: Project): Promise<Config> {
  const config = parseConfig(await rawConfig(project, { secrets: true }), project.stack, project.dir);
  openSession(config.store, { ...project, shared: false, vaultSecretId: config.vaultSecretId });
  return config;
}

const keysOnly = schema.pick({
  environment: true,
  secrets: true,
  services: true,
  alpaca: true,
  alpacaKeys: true,
  apiKeys: true,
  lab: true,
});

/** What `rotation alpaca` reads: it must work before the first pair is in the config. */
export type KeySettings = Pick<Config, keyof typeof keysOnly.shape>;

/** Alpaca's part of the config with its pairs decrypted. @throws ConfigError, UsageError */
export async function readKeySettings(project: Project): Promise<KeySettings> {
  return partOf(await rawConfig(project, { secrets: true }), project, keysOnly);
}

const requestOnly = schema.pick({ request: true });

/** The request in the config, if any. @throws ConfigError */
export async function readRequest(project: Project): Promise<Config["request"]> {
  return partOf(await openConfig(project), project, requestOnly).request;
}

/** Every key as Pulumi would pass it, without what is secret. */
export const openConfig = async (project: Project): Promise<Record<string, string>> =>
  settingsOf(project) ?? (await rawConfig(project, { secrets: false }));

/** Only the keys of `part`: they can be read even if others are wrong. @throws ConfigError */
function partOf<Shape extends z.core.$ZodLooseShape>(
  raw: Readonly<Record<string, string>>,
  { stack, dir }: Project,
  part: z.ZodObject<Shape>,
): z.output<typeof part> {
  const wanted = Object.keys(part.shape).map((key) => `${PROJECT}:${key}`);
  const given = Object.fromEntries(Object.entries(raw).filter(([key]) => wanted.includes(key)));
  return parseSettings(given, stack, part, () => [], dir);
}

/** The lab's clock, else this machine's. */
export const clockOf = ({ lab }: Pick<Config, "lab">): Date =>
  lab?.clock === undefined ? new Date() : new Date(lab.clock);

interface SettingsFile {
  readonly config?: Record<string, unknown>;
  readonly environment?: unknown;
}

/** Every key as Pulumi would pass it; undefined if only Pulumi knows. */
function settingsOf({ settingsFile, stack }: Project): Record<string, string> | undefined {
  let text: string;
  try {
    text = readFileSync(settingsFile, "utf8");
  } catch {
    return undefined;
  }
  let file: SettingsFile | null;
  try {
    file = parse(text) as SettingsFile | null;
  } catch (error) {
    throw new UsageError(`Pulumi.${stack}.yaml is not valid YAML: ${messageOf(error)}`);
  }
  if (file?.environment !== undefined) return undefined;
  const entries = Object.entries(file?.config ?? {}).flatMap(([key, value]) => {
    const shown = hideSecrets(value, key === `${PROJECT}:sslPassword`);
    return shown === undefined ? [] : [[key, typeof shown === "object" ? JSON.stringify(shown) : String(shown)]];
  });
  return Object.fromEntries(entries);
}

/** A key that is secret as a whole is left out: its shape is unknown. */
function hideSecrets(value: unknown, inside = false): unknown {
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item, true));
  if (typeof value !== "object" || value === null) return value;
  if (Object.keys(value).length === 1 && "secure" in value) return inside ? HIDDEN : undefined;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideSecrets(item, true)]));
}

interface ConfigValue {
  readonly value?: string;
  readonly secret: boolean;
}

async function rawConfig(project: Project, { secrets }: { secrets: boolean }): Promise<Record<string, string>> {
  const args = ["config", "--json", ...(secrets ? ["--show-secrets"] : [])];
  const { exitCode, stdout, stderr } = await runPulumi(project, args);
  if (exitCode !== 0) throw new UsageError(`the config of stack ${project.stack} cannot be read: ${firstLine(stderr)}`);
  const values = JSON.parse(stdout) as Record<string, ConfigValue>;
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, { value }]) =>
      value === undefined && key !== `${PROJECT}:sslPassword` ? [] : [[key, value ?? HIDDEN]],
    ),
  );
}

const firstLine = (text: string) => (text.trim().split("\n")[0] ?? "").replace(/^error: /, "");
