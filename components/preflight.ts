import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { HostConfig, ServiceConfig } from "../config";
import { type Platform, servicesOf } from "./platform";
import { restartCheck } from "./restart-command";
import type { StoreEntry, StoreReference } from "./secret-store";
import { stepCommand } from "./step-command";

/** What is asked for what: a rollback must work while services are down and the market is open. */
export type PreflightMode = "adoption" | "rotation" | "emergency" | "rollback" | "repair";

/** Alpaca's `GET /v2/clock`, and where the pair to ask it with is kept. */
export interface MarketClock {
  readonly baseUrl: string;
  readonly keyIdPath: string;
  readonly secretKeyPath: string;
}

/** Who has to be told of a rotation, and when. */
export interface Notice {
  /** Milliseconds. */
  readonly before: number;
  /** The generation that is about to be replaced. */
  readonly generation: number;
  /** The lab's clock; null everywhere else. */
  readonly clock: string | null;
}

export interface PreflightArgs {
  readonly mode: PreflightMode;
  readonly secret: string;
  readonly store: StoreReference;
  /** The paths that will be written. */
  readonly paths: readonly string[];
  /** The database whose role changes, where one does. */
  readonly database?: Record<string, unknown> & { readonly roles: readonly string[] };
  /** The role in Vault whose password Vault rotates, where one is. */
  readonly vaultRole?: Record<string, unknown>;
  /** The logins that Vault makes for a short time, where it does. */
  readonly leases?: Record<string, unknown>;
  /** The database of the audit log. */
  readonly audit: Record<string, unknown>;
  /** Every service of the platform, not only those that restart (runbook, checklist: all services). */
  readonly services: readonly { readonly name: string; readonly config: ServiceConfig }[];
  readonly hosts: Readonly<Record<string, HostConfig>>;
  readonly privateKey: pulumi.Output<string> | undefined;
  /** Asked whether the market is open, with the pair in the store; undefined where the config names no API. */
  readonly alpaca: MarketClock | undefined;
  readonly allowOpenMarket: boolean;
  /**
   * The credential in use, which a rollback will return to: it must be what the store holds, and log in where it is a
   * login. Undefined where its value is not known.
   */
  readonly current:
    | { readonly username?: string; readonly password?: pulumi.Input<string>; readonly entries: readonly StoreEntry[] }
    | undefined;
  /**
   * What may stand at the paths where the value in use is not known, so that `current` is undefined; anything else is
   * refused there. Undefined where that is not asked.
   */
  readonly expected?: readonly StoreEntry[] | undefined;
  /** Seconds that the rotation may take at the most: the run's credential must live as long. */
  readonly lasts: number;
  /** How long ago the team must have been told, for a rotation by age; undefined where it need not. */
  readonly notice?: Notice | undefined;
  /** What to do where the store holds another value; the end of a message. */
  readonly whenForeign: string;
  /** Whether such a value is overwritten all the same. Default false. */
  readonly force?: boolean;
  readonly trigger: string;
}

/** What every preflight looks at, whatever the secret. */
export function platformChecks({ audit, services, hosts, privateKey, marketClock, allowOpenMarket }: Platform) {
  return {
    audit: audit.connection,
    services: servicesOf(Object.keys(services), services),
    hosts,
    privateKey,
    alpaca: marketClock,
    allowOpenMarket,
  };
}

/** Looks at everything a rotation will touch and touches nothing. The first resource of every rotation. */
export class Preflight extends pulumi.ComponentResource {
  readonly command: local.Command;

  constructor(name: string, args: PreflightArgs, opts: pulumi.ComponentResourceOptions) {
    super("secret-rotation:index:Preflight", name, {}, opts);
    const { secret, services, hosts, trigger, ...rest } = args;
    const used = new Set(services.flatMap(({ config }) => config.hosts));
    this.command = stepCommand(
      `${name}-checks`,
      {
        step: "preflight",
        input: {
          ...rest,
          // Not `secret`: what stands under that key is taken out of every message.
          secretName: secret,
          // What is asked alone: every secret's preflight names all services, and the engine writes all of the state after
          // every step.
          services: services.map(({ name: service, config }) => ({
            name: service,
            hosts: config.hosts,
            health: config.health,
            restartCheck: restartCheck(service, config),
          })),
          hosts: Object.fromEntries(Object.entries(hosts).filter(([host]) => used.has(host))),
        },
        trigger,
        // Its answer depends on the moment; only a new activation asks again.
        runOnInputChange: false,
      },
      { parent: this, ...(opts.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) },
    );
    this.registerOutputs({});
  }
}
