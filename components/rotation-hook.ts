import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { SecretConfig } from "../config";
import type { SecretState } from "../core/state";
import { secretsOf } from "../stores/entries";
import type { Platform } from "./platform";
import type { BroughtIn } from "./restart-input";
import { stepCommand } from "./step-command";

export interface RotationHookArgs {
  readonly hook: "before" | "after";
  readonly config: NonNullable<SecretConfig["before"]>;
  readonly platform: Pick<Platform, "hosts" | "privateKey">;
  /** The credential that the rotation brings into use. */
  readonly brought: BroughtIn<pulumi.Input<string>>;
  readonly trigger: string;
  /** Whether it runs in place. */
  readonly inPlace: SecretState["inPlace"];
  /** The activation that the last finished update left: a hook that is new in the config does not run for it. */
  readonly finished: string | undefined;
}

/** A command of the user's, run once for each activation. */
export function rotationHook(
  name: string,
  { hook, config, platform, brought, trigger, inPlace, finished }: RotationHookArgs,
  opts: pulumi.CustomResourceOptions,
): local.Command {
  const { command, host, timeout } = config;
  const reached = host === undefined ? undefined : platform.hosts[host];
  return stepCommand(
    `${name}-${hook}-hook`,
    {
      step: "run-hook",
      about: command,
      input: {
        hook,
        command,
        timeout,
        secretName: brought.secret,
        generation: brought.generation,
        ...(reached === undefined ? {} : { host: { name: host, ...reached } }),
        ...(reached === undefined || platform.privateKey === undefined ? {} : { privateKey: platform.privateKey }),
        redacted: brought.entries.flatMap(secretsOf),
        activation: trigger,
      },
      trigger,
      inPlace,
      runOnInputChange: false,
      rolledOut: finished === trigger ? trigger : "",
    },
    opts,
  );
}
