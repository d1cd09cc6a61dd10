import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { HostConfig, ServiceConfig } from "../config";
import { type Platform, servicesOf } from "./platform";
import { restartScript } from "./restart-script";

export interface RollingRestartArgs {
  /** What is restarted, in this order: one at a time, a service with several hosts one host after the other. */
  readonly services: readonly { readonly name: string; readonly config: ServiceConfig }[];
  /** The hosts by name. */
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Opens every host. Undefined where no service has a host. */
  readonly privateKey: pulumi.Output<string> | undefined;
  /** A change restarts everything, once. A change of anything else restarts nothing. */
  readonly trigger: pulumi.Input<string>;
}

/**
 * Restarts services one after the other, each behind its health gate; the first that stays unhealthy stops the rollout
 * with its last answer in the message, and everything behind it keeps running as it is.
 */
export class RollingRestart extends pulumi.ComponentResource {
  /** The last restart: what comes after the rollout depends on it. */
  readonly last: pulumi.Resource;

  constructor(name: string, args: RollingRestartArgs, opts: pulumi.ComponentResourceOptions) {
    super("secret-rotation:index:RollingRestart", name, {}, opts);
    const { services, hosts, privateKey, trigger } = args;
    const first = opts.dependsOn as pulumi.Resource;
    this.last = services
      .flatMap(({ name: service, config }) =>
        placesOf(service, config, hosts).map((place) => ({ service, config, place })),
      )
      .reduce<pulumi.Resource>((before, { service, config, place }) => {
        const common = {
          create: restartScript(service, config, place),
          // Triggers alone restart: a new time-out or a new key in the config must not.
          update: "true",
          triggers: [trigger],
          addPreviousOutputInEnv: false,
        };
        const options = { parent: this, dependsOn: before };
        if (place.host === undefined) {
          return new local.Command(`${name}-${service}`, { ...common, logging: local.Logging.None }, options);
        }
        return new remote.Command(
          `${name}-${service}-${place.name}`,
          { ...common, logging: remote.Logging.None, connection: connection(place.host, privateKey) },
          options,
        );
      }, first);
    this.registerOutputs({});
  }
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

function connection(host: HostConfig, privateKey: pulumi.Output<string> | undefined) {
  return {
    host: host.address,
    port: host.port,
    user: host.user,
    hostKey: host.hostKey,
    ...(privateKey === undefined ? {} : { privateKey }),
    dialErrorLimit: 3,
    perDialTimeout: 15,
  };
}

/** Restarts the services that a secret names, in its order, once an activation. */
export function restartServices(
  secret: string,
  names: readonly string[],
  { services, hosts, privateKey }: Platform,
  trigger: string,
  opts: { readonly parent: pulumi.Resource; readonly dependsOn: pulumi.Resource },
): RollingRestart {
  return new RollingRestart(
    `${secret}-restart`,
    { services: servicesOf(names, services), hosts, privateKey, trigger },
    opts,
  );
}
