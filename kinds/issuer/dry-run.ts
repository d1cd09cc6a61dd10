import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import type { Platform } from "../../components/platform";
import { servicesOf } from "../../components/service-check";
import { stepCommand } from "../../components/step-command";
import { previousGeneration, type SecretState } from "../../core/state";
import type { IssuedSecret } from "./supplied-kind";

interface DryRunArgs {
  /** The component's name. */
  readonly name: string;
  readonly config: IssuedSecret;
  readonly state: SecretState;
  readonly platform: Platform;
  /** The keys, which no message may show. */
  readonly secrets: readonly Readonly<Record<string, unknown>>[];
  readonly trigger: pulumi.Input<string>;
}

/** A run of the user's own program with the key in use; what it depends on if the config has none. */
export function createDryRun(
  parent: pulumi.Resource,
  { name, config, state, platform, secrets, trigger }: DryRunArgs,
  dependsOn: After,
): After {
  if (config.dryRun === undefined) return dependsOn;
  const { command, service, timeout } = config.dryRun;
  const previous = previousGeneration(state);
  const host = servicesOf([service], platform.services)[0]?.config.hosts[0];
  return stepCommand(
    `${name}-dry-run`,
    {
      step: "dry-run",
      input: {
        command,
        service,
        timeout: Math.ceil(timeout / 1000),
        ...(host === undefined ? {} : { host: { name: host, ...platform.hosts[host] } }),
        ...(platform.privateKey === undefined ? {} : { privateKey: platform.privateKey }),
        wayBack:
          previous === undefined
            ? "there is no previous key"
            : `\`pulumi config set request '{"id":"<new>","secret":"${config.name}","activate":${previous},"reason":"..."}'\``,
        secrets,
      },
      trigger,
      inPlace: state.inPlace,
      runOnInputChange: false,
    },
    { parent, dependsOn },
  );
}
