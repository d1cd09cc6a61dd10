import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { HostConfig, ServiceConfig } from "../config";
import { batchesOf } from "../core/rollout";
import type { SecretState } from "../core/state";
import type { Platform } from "./platform";
import { type BroughtIn, restartInput } from "./restart-input";
import { servicesOf } from "./service-check";
import { answerOf, stepCommand } from "./step-command";

export interface RollingRestartArgs {
  /** What is restarted, in this order: one at a time, a service with several hosts one host after the other. */
  readonly services: readonly RolledService[];
  /** The hosts by name. */
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Opens every host. Undefined if no service has a host. */
  readonly privateKey: Platform["privateKey"];
}

/** A service that is restarted. */
export interface RolledService {
  readonly name: string;
  readonly config: ServiceConfig;
  /** A change restarts it, once. A change of anything else restarts nothing. Several if secrets share the restart. */
  readonly trigger: string | readonly string[];
  /** Whether it is restarted in place. Default: by a replacement, as earlier versions did. */
  readonly inPlace?: SecretState["inPlace"];
  /** Whether it was rolled out before the resources existed: those that are new restart nothing. */
  readonly isRolledOut?: boolean;
  /** What the restarts bring into use: proven by the services that can show it. */
  readonly brought?: readonly BroughtIn<pulumi.Input<string>>[];
}

/**
 * Restarts services one after the other, each with its health gate; the first that stays unhealthy stops the rollout
 * with its last answer in the message, and the remaining services keep running as they are. A service with a `rollout`
 * has several hosts restarted at once, a batch after the other.
 */
export class RollingRestart extends pulumi.ComponentResource {
  /** The last restart: what comes after the rollout depends on it. */
  readonly last: pulumi.Resource;
  /** What was done at places whose config has more than a plain restart, for the audit row; by place. */
  readonly said: pulumi.Output<Record<string, unknown>[]>;
  private readonly reported: { readonly place: string; readonly command: local.Command }[] = [];

  constructor(name: string, args: RollingRestartArgs, opts: pulumi.ComponentResourceOptions) {
    super("secret-rotation:index:RollingRestart", name, {}, opts);
    const first = [opts.dependsOn ?? []].flat() as pulumi.Resource[];
    const last = args.services.reduce<readonly pulumi.Resource[]>(
      (before, service) => this.roll(name, service, args, before),
      first,
    );
    const [only, ...more] = last;
    // After several at once comes what depends on all of them: those inside this component.
    this.last = only === undefined || more.length > 0 ? this : only;
    this.said = pulumi.all(this.reported.map(({ command }) => answerOf(command))).apply((answers) =>
      answers.map(
        ({ said, hooks }, index): Record<string, unknown> => ({
          place: this.reported[index]?.place,
          ...(said === undefined ? {} : { said }),
          ...(hooks === undefined ? {} : { hooks }),
        }),
      ),
    );
    this.registerOutputs({});
  }

  /** One service: a batch of its places after the other. */
  private roll(
    name: string,
    rolled: RolledService,
    args: RollingRestartArgs,
    first: readonly pulumi.Resource[],
  ): readonly pulumi.Resource[] {
    const { name: service, config } = rolled;
    const places = placesOf(service, config, args.hosts);
    const { batches, canaries } = batchesOf([...places.keys()].map(String), config.rollout);
    return batches.reduce((before, indexes, batch) => {
      const named = (some: readonly (readonly string[])[]) =>
        shortened(some.flat().flatMap((one) => nameAt(places, one)));
      return indexes.map((index) => {
        const place = places[Number(index)] as Place;
        const bake = config.rollout?.bake ?? 0;
        const rollout =
          config.rollout === undefined
            ? {}
            : {
                rollout: {
                  batch: batch + 1,
                  of: batches.length,
                  canary: batch < canaries,
                  ...(batch < canaries && bake > 0 ? { bake } : {}),
                  done: named(batches.slice(0, batch)),
                  beside: named([indexes.filter((other) => other !== index)]),
                  later: named(batches.slice(batch + 1)),
                },
              };
        return this.restart(name, { rolled, place }, rollout, args, before);
      });
    }, first);
  }

  /** By a step of ours, over an SSH connection of ours: the command plugin's own has a time limit for the dial only. */
  private restart(
    name: string,
    { rolled, place }: AtPlace,
    rollout: object,
    { privateKey }: RollingRestartArgs,
    before: readonly pulumi.Resource[],
  ): local.Command {
    const { name: service, config, trigger, inPlace, isRolledOut = false, brought = [] } = rolled;
    const { host } = place;
    const activation = [trigger].flat().join(", ");
    const isShared = Array.isArray(trigger);
    const at = { service, config, hostName: host === undefined ? undefined : place.name, host };
    const command = stepCommand(
      `${name}-${service}${host === undefined ? "" : `-${place.name}`}`,
      {
        step: "restart-service",
        input: {
          ...restartInput(at, brought),
          ...rollout,
          ...(host === undefined ? {} : { host: { name: place.name, ...host } }),
          ...(host === undefined || privateKey === undefined ? {} : { privateKey }),
          activation,
        },
        trigger,
        inPlace,
        // Only an activation restarts: a new time-out or a new key in the config must not.
        runOnInputChange: false,
        // On this machine the resource is the one that earlier versions had; only a new activation runs it.
        ...(host === undefined && !isShared ? {} : { rolledOut: isRolledOut ? activation : "" }),
      },
      { parent: this, dependsOn: before.slice() },
    );
    if (isReported(config))
      this.reported.push({ place: `${service}${host === undefined ? "" : ` on ${place.name}`}`, command });
    return command;
  }
}

/** Whether a service's restarts are in the audit row: what is done there is more than a plain restart. */
const isReported = ({ reload, proof, rollout, before, after, kubernetes }: ServiceConfig) =>
  [reload, proof, rollout, before, after, kubernetes?.sync].some((part) => part !== undefined);

/** Names in a message. */
const NAMED = 10;

const shortened = (names: readonly string[]): string =>
  names.length <= NAMED ? names.join(", ") : `${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more`;

const nameAt = (places: readonly Place[], index: string) => places[Number(index)]?.name ?? [];

/** A service at one of its places. */
interface AtPlace {
  readonly rolled: RolledService;
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

/** What a secret's own restarts are triggered by and bring into use. */
export interface OwnRestarts {
  readonly trigger: string;
  readonly inPlace?: SecretState["inPlace"];
  /** The activation that an earlier version rolled out, if any: if it is the trigger's, new resources restart nothing. */
  readonly rolledOut: string | undefined;
  readonly brought: BroughtIn<pulumi.Input<string>>;
}

/** Restarts the services that a secret names, in its order, once for each activation. */
export function restartServices(
  secret: string,
  names: readonly string[],
  { services, hosts, privateKey }: Platform,
  { trigger, inPlace, rolledOut, brought }: OwnRestarts,
  opts: { readonly parent: pulumi.Resource; readonly dependsOn: pulumi.Resource },
): RollingRestart {
  const isRolledOut = rolledOut === trigger;
  const rolled = servicesOf(names, services).map((service) => ({
    ...service,
    trigger,
    inPlace,
    isRolledOut,
    brought: [brought],
  }));
  return new RollingRestart(`${secret}-restart`, { services: rolled, hosts, privateKey }, opts);
}
