import type * as pulumi from "@pulumi/pulumi";
import type { HostConfig, SecretConfig, ServiceConfig } from "../config";
import type { Market } from "../core/calendar";
import type { SshKey } from "../core/ssh-key";
import type { AuditTarget } from "./audit-record";
import type { MarketClock } from "./preflight-input";
import type { StackStore } from "./stack-store";

/** What all secrets of a stack share. */
export interface Platform {
  readonly store: StackStore;
  /** Every secret of the config. */
  readonly secrets: readonly SecretConfig[];
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Opens every host. Undefined: the SSH agent does, or no service has a host. */
  readonly privateKey: pulumi.Output<NonNullable<SshKey>> | undefined;
  /** Queried for whether the market is open. Undefined if the config names no API. */
  readonly marketClock: MarketClock | undefined;
  readonly allowOpenMarket: boolean;
  /** Whether new logins are rehearsed from where services are. Default false. */
  readonly rehearse?: boolean;
  /** The hours of the market, if the config has them. */
  readonly market?: Market | undefined;
  /** How long before a rotation by age the team must be notified, in milliseconds; undefined if it need not be. */
  readonly notice: number | undefined;
  readonly audit: AuditTarget;
  /** The lab's clock; undefined everywhere else. */
  readonly clock: string | undefined;
  /** What a saved plan is held to: `planBasis`. */
  readonly planBasis: readonly string[];
  /** The key of the fingerprints that are kept of credentials; undefined: none is kept. */
  readonly fingerprintKey?: pulumi.Output<string> | undefined;
}
