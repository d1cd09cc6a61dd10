import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { silenceDebugMessages } from "./components/quiet-sdk";
import { runStepsFrom } from "./components/step-command";
import { type Settings, RotationStack as Stack } from "./kinds/rotation-stack";

// The package's entry for a Pulumi program of the user's own (docs/library.md).

export type { SecretRotationArgs, StackSecret } from "./components/secret-rotation";
export type { Config, SecretConfig } from "./config";
export type { SecretState } from "./core/state";
export { AlpacaKey, type AlpacaKeyArgs } from "./kinds/alpaca-key/component";
export { ApiKey, type ApiKeyArgs } from "./kinds/api-key/component";
export { IssuedApiKey } from "./kinds/api-key/issued/component";
export { PostgresPassword, type PostgresPasswordArgs } from "./kinds/postgres-password/component";
export type { RotationStack, Settings } from "./kinds/rotation-stack";
export { VaultDynamicLogins } from "./kinds/vault-dynamic/component";
export { VaultStaticPassword } from "./kinds/vault-static/component";

/** {@link Stack.open} for this program. @param settings beside or instead of the config's keys under `secret-rotation:` */
export const openRotationStack = (settings: Settings = {}): Promise<Stack> =>
  Stack.open(settings, Buffer.concat([readFileSync(__filename), Buffer.from(JSON.stringify(settings))]));

// Debug messages of Pulumi's SDK hold secrets in plain text.
silenceDebugMessages();
// The engine runs steps in the program's folder, where this package is installed.
runStepsFrom(relative(process.cwd(), join(__dirname, "steps")));
