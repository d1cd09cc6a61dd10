import type { Config } from "../config";
import { secretsIn } from "../rotation/redact";

const NAMES = [
  "VAULT_TOKEN",
  "PGPASSWORD",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "PULUMI_CONFIG_PASSPHRASE",
  "PULUMI_ACCESS_TOKEN",
];

/** The credentials that stand in the environment, for `redact`. */
export const environmentSecrets = (env: NodeJS.ProcessEnv): string[] => NAMES.flatMap((name) => env[name] ?? []);

/** Every secret that stands in the config, for `redact`. */
export const configSecrets = (config: Config): string[] => [
  ...secretsIn(config),
  ...[config.sshPrivateKey, config.notify?.slackWebhook].filter((value) => value !== undefined),
];
