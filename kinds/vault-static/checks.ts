import type { ConfigPart, Placed } from "../../core/config-part";
import { formatDuration } from "../../core/duration";
import type { Problem } from "../../core/problem";
import { type Checked, madeByVaultInConfig, SHORTEST_PERIOD } from "../vault-engine/checks";
import { type VaultStaticConfig, vaultStaticPassword } from "./schema";
import { vaultStatic } from "./traits";

/** A password that Vault rotates, in the config. */
export const vaultStaticInConfig: ConfigPart<VaultStaticConfig, Checked> = {
  ...madeByVaultInConfig,
  traits: vaultStatic,
  schema: vaultStaticPassword,
  check: (config, placed) => [...madeByVaultInConfig.check(config, placed), ...scheduleChecks(config, placed)],
};

function scheduleChecks({ policy }: Checked, { index, secret }: Placed<VaultStaticConfig>): Problem[] {
  const { rotationPeriod: period, rotationSchedule: schedule, rotationWindow: window } = secret;
  const at = (key: string, message: string): Problem => ({ path: ["secrets", index, key], message });
  const maxAge = secret.policy?.maxAge ?? policy.maxAge;
  if ((period === undefined) === (schedule === undefined)) {
    const found = period === undefined ? "neither" : "both";
    return [at("rotationPeriod", `expected either rotationPeriod or rotationSchedule, found ${found}`)];
  }
  return [
    ...(window !== undefined && schedule === undefined
      ? [at("rotationWindow", "expected only with rotationSchedule: a period has no window")]
      : []),
    ...(period !== undefined && period < SHORTEST_PERIOD
      ? [at("rotationPeriod", `expected at least 5s, found ${formatDuration(period)}`)]
      : []),
    ...(period !== undefined && period > maxAge
      ? [at("rotationPeriod", `expected at most maxAge (${formatDuration(maxAge)}), found ${formatDuration(period)}`)]
      : []),
  ];
}
