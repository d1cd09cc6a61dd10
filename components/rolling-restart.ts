import * as pulumi from "@pulumi/pulumi";
import type { HostConfig, ServiceConfig } from "../config";
import { probeAt } from "../core/health";
import type { Platform } from "./platform";
import { restartCommand } from "./restart-command";
import { servicesOf } from "./service-check";
import { probeOf } from "./service-probe";
import { stepCommand } from "./step-command";

export interface RollingRestartArgs {
  /** What is restarted, in this order: one at a time, a service with several hosts one host after the other. */
  readonly services: readonly { readonly name: string; readonly config: ServiceConfig }[];
  /** The hosts by name. */
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Opens every host. Undefined if no service has a host. */
  readonly privateKey: Platform["privateKey"];
  /** A change restarts everything, once. A change of anything else restarts nothing. */
  readonly trigger: string;
  /** The activation that an earlier version rolled out, if any: if it is the trigger's, new resources restart nothing. */
  readonly rolledOut?: string | undefined;
}

/**
 * Restarts services one after the other, each with its health gate; the first that stays unhealthy stops the rollout
 * with its last answer in the message, and the remaining services keep running as they are.
 */
export class RollingRestart extends pulumi.ComponentResource {
  /** The last restart: what comes after the rollout depends on it. */
  readonly last: pulumi.Resource;

  constructor(name: string, args: RollingRestartArgs, opts: pulumi.ComponentResourceOptions) {
    super("secret-rotation:index:RollingRestart", name, {}, opts);
    const { services, hosts } = args;
    const first = opts.dependsOn as pulumi.Resource;
    this.last = services
      .flatMap(({ name: service, config }) =>
        placesOf(service, config, hosts).map((place) => ({ service, config, place })),
      )
      .reduce((before, at) => this.restart(name, at, args, before), first);
    this.registerOutputs({});
  }

  /** By a step of ours, over an SSH connection of ours: the command plugin's own has a time limit for the dial only. */
  private restart(name: string, { service, config, place }: At, args: RollingRestartArgs, before: pulumi.Resource) {
    const { privateKey, trigger, rolledOut = "" } = args;
    const { host } = place;
    return stepCommand(
      `${name}-${service}${host === undefined ? "" : `-${place.name}`}`,
      {
        step: "restart-service",
        input: {
          service,
          command: restartCommand(service, config),
          probe: probeAt(probeOf(config), place.address),
          timeout: config.timeout,
          ...(host === undefined ? {} : { host: { name: place.name, ...host } }),
          ...(host === undefined || privateKey === undefined ? {} : { privateKey }),
          activation: trigger,
        },
        trigger,
        // Only triggers restart: a new time-out or a new key in the config must not.
        runOnInputChange: false,
        // On this machine the resource is the one that earlier versions had; only a new activation replaces it.
        ...(host === undefined ? {} : { rolledOut: rolledOut === trigger ? trigger : "" }),
      },
      { parent: this, dependsOn: before },
    );
  }
}

/** A service at one of its places. */
interface At {
  readonly service: string;
  readonly config: ServiceConfig;
  readonly place: Place;
}

interface Place {
  readonly name: string;
  readonly address: string;
  readonly host: HostConfig | undefined;
}

function placesOf(service: string, config: ServiceConfig, hosts: RollingRestartArgs["hosts"]): Place[] {
  if (config.hosts.length === 0) return [{ name: "this machine", address: "localhost", host: undefined }];
  return config.hosts.map((name) => {
    const host = hosts[name];
    if (host === undefined) throw new Error(`service ${service} names the host ${name}, which is not in \`hosts\``);
    return { name, address: host.address, host };
  });
}

/** Restarts the services that a secret names, in its order, once for each activation. */
export function restartServices(
  secret: string,
  names: readonly string[],
  { services, hosts, privateKey }: Platform,
  { trigger, rolledOut }: Pick<RollingRestartArgs, "trigger" | "rolledOut">,
  opts: { readonly parent: pulumi.Resource; readonly dependsOn: pulumi.Resource },
): RollingRestart {
  return new RollingRestart(
    `${secret}-restart`,
    { services: servicesOf(names, services), hosts, privateKey, trigger, rolledOut },
    opts,
  );
}
