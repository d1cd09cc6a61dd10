import type { Policies } from "@pulumi/policy";
import { healthGate, hostKey, noSecretInCommands } from "./commands";
import { secretsRetained, strongPasswords } from "./secrets";
import { gracePeriod, maxAge } from "./settings";

/** Every rule of the pack, in the order in which docs/policy.md explains them. */
export const policies: Policies = [
  maxAge,
  gracePeriod,
  hostKey,
  healthGate,
  secretsRetained,
  noSecretInCommands,
  strongPasswords,
];
