import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../../components/after";
import type { Platform } from "../../../components/platform";
import { stepCommand } from "../../../components/step-command";
import { type PostgresPasswordConfig, referenceOf } from "../../../config";
import type { SecretState } from "../../../core/state";
import { keptLists, poolersOf } from "./schema";

/** What a password's component says of itself to its poolers' steps. */
export interface PoolerOwner {
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly config: PostgresPasswordConfig;
  readonly platform: Pick<Platform, "hosts" | "privateKey">;
  readonly trigger: string;
  readonly inPlace?: SecretState["inPlace"];
}

/** Changes PgBouncer's user lists that this program keeps. Without a list it is what it waits for. */
export function changeLists(
  { name, parent, config, platform, trigger, inPlace }: PoolerOwner,
  step: "pooler-users" | "pooler-users-settle",
  change: Readonly<Record<string, unknown>>,
  dependsOn: pulumi.Resource,
): pulumi.Resource {
  const lists = keptLists(config, platform.hosts);
  if (lists.length === 0) return dependsOn;
  const onHosts = lists.some(({ hosts }) => hosts.length > 0) ? { privateKey: platform.privateKey } : {};
  const input = { database: referenceOf(config.database), lists, ...onHosts, ...change };
  return stepCommand(`${name}-${step}`, { step: "pooler-users", input, trigger, inPlace }, { parent, dependsOn });
}

/** Every service has the new login: the poolers' connections with the previous one are of no use any more. */
export function reconnectPoolers({ name, parent, config, trigger, inPlace }: PoolerOwner, dependsOn: After): After {
  const poolers = poolersOf(config);
  if (poolers.length === 0) return dependsOn;
  return stepCommand(
    `${name}-pooler-reconnect`,
    { step: "pooler-reconnect", input: { poolers }, trigger, inPlace },
    { parent, dependsOn },
  );
}
