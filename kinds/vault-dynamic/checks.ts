import type { ConfigPart, Placed } from "../../core/config-part";
import { formatDuration } from "../../core/duration";
import type { Problem } from "../../core/problem";
import { type Checked, madeByVaultInConfig, SHORTEST_PERIOD } from "../vault-engine/checks";
import { type VaultDynamicConfig, vaultDynamicPassword } from "./schema";
import { vaultDynamic } from "./traits";

/** Logins that Vault makes for a short time, in the config. */
export const vaultDynamicInConfig: ConfigPart<VaultDynamicConfig, Checked> = {
  ...madeByVaultInConfig,
  traits: vaultDynamic,
  schema: vaultDynamicPassword,
  check: (config, placed) => [...madeByVaultInConfig.check(config, placed), ...leaseChecks(config, placed)],
};

/** A lease ends by itself: what counts is how long it may live. */
function leaseChecks({ policy, adopted }: Checked, { index, secret }: Placed<VaultDynamicConfig>): Problem[] {
  const { defaultTtl, maxTtl } = secret;
  const at = (key: string, message: string): Problem => ({ path: ["secrets", index, key], message });
  return [
    ...(defaultTtl < SHORTEST_PERIOD
      ? [at("defaultTtl", `expected at least 5s, found ${formatDuration(defaultTtl)}`)]
      : []),
    ...(defaultTtl > maxTtl
      ? [at("defaultTtl", `expected at most maxTtl (${formatDuration(maxTtl)}), found ${formatDuration(defaultTtl)}`)]
      : []),
    ...(maxTtl > policy.maxAge
      ? [
          at(
            "maxTtl",
            `expected at most policy.maxAge (${formatDuration(policy.maxAge)}), found ${formatDuration(maxTtl)}`,
          ),
        ]
      : []),
    ...(secret.policy === undefined
      ? []
      : [at("policy", "expected nothing: a lease ends by itself, after maxTtl at the latest")]),
    ...(Object.hasOwn(adopted, secret.name)
      ? [
          {
            path: ["adopted", secret.name],
            message: "expected nothing: services with leases never return to a password",
          },
        ]
      : []),
  ];
}
