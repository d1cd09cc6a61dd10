import * as pulumi from "@pulumi/pulumi";
import { tagged } from "../core/resource-names";
import type { SecretState } from "../core/state";
import type { After } from "./after";
import type { Platform } from "./platform";
import type { BroughtIn } from "./restart-input";
import { RollingRestart } from "./rolling-restart";
import { servicesOf } from "./service-check";

type Several = pulumi.Input<pulumi.Resource>[];

/** What a secret contributes to the restarts that it shares. */
interface Share {
  /** The services that read it, in its order. */
  readonly restart: readonly string[];
  readonly brought: BroughtIn<pulumi.Input<string>>;
  readonly trigger: string;
  readonly inPlace: SecretState["inPlace"];
  /** The activation that the last finished update left. */
  readonly finished: string | undefined;
  /** Written before anything is restarted. */
  readonly stored: pulumi.Resource;
}

/** A secret in a group, in the order of the config. */
class Member {
  preflight: pulumi.Resource | undefined;
  share: Share | undefined;
  /** Its audit row. */
  last: Several | undefined;

  constructor(
    private readonly group: SharedRestarts,
    private readonly before: Member | undefined,
  ) {}

  /**
   * What everything that acts depends on: the preflights of all, so that one that fails stops before any value is written;
   * then the value of the previous secret, so that values are written in the order of the config.
   */
  begin(preflight: pulumi.Resource): After {
    this.preflight = preflight;
    const ready: Promise<Several> = this.group.declared.then(() =>
      this.group.preflights.concat(this.before?.share?.stored ?? []),
    );
    return ready;
  }

  /** The restarts, once all members are declared; what follows on them also follows on the previous secret's end. */
  restarts(share: Share): { readonly last: After; readonly said: pulumi.Output<Record<string, unknown>[]> } {
    this.share = share;
    const all = this.group.declared.then(() => this.group.restarts());
    const last: Promise<Several> = all.then((made) => [made.last, ...(this.before?.last ?? [])]);
    const said = pulumi.output(all.then((made) => made.said)) as unknown as RollingRestart["said"];
    return { last, said };
  }
}

export type SharingMember = Member;

/**
 * The restarts of secrets that share services: each service is restarted once, after the values of all of them are in the
 * store. Preflights of all, then each value in turn, then the restarts, then for each in turn the proof and the audit row.
 */
export class SharedRestarts {
  readonly declared: Promise<void>;
  private readonly members: Member[] = [];
  private settle: { readonly done: () => void; readonly fail: (reason: unknown) => void } | undefined;
  private made: RollingRestart | undefined;

  /** @param name the resources' names begin with it */
  constructor(
    private readonly name: string,
    private readonly platform: Pick<Platform, "services" | "hosts" | "privateKey">,
  ) {
    this.declared = new Promise<void>((done, fail) => {
      this.settle = { done, fail };
    });
    // Whatever depends on it reports the failure.
    this.declared.catch(() => undefined);
  }

  member(): Member {
    const member = new Member(this, this.members.at(-1));
    this.members.push(member);
    return member;
  }

  get preflights(): pulumi.Resource[] {
    return this.members.flatMap(({ preflight }) => preflight ?? []);
  }

  /** All members are declared. */
  finish(): void {
    this.settle?.done();
  }

  /** The program ends before all are declared: nothing may wait for the rest. */
  abandon(reason: unknown): void {
    this.settle?.fail(reason);
  }

  /** Declared with the first that asks for them. */
  restarts(): RollingRestart {
    this.made ??= this.create();
    return this.made;
  }

  private create(): RollingRestart {
    const { services, hosts, privateKey } = this.platform;
    const shares = this.members.flatMap(({ share }) => share ?? []);
    const names = [...new Set(shares.flatMap(({ restart }) => restart))];
    return new RollingRestart(
      `${this.name}-shared-restart`,
      {
        services: servicesOf(names, services).map((service) => {
          const readers = shares.filter(({ restart }) => restart.includes(service.name));
          return {
            ...service,
            trigger: readers.map(({ brought, trigger }) => tagged(brought.secret, trigger)),
            inPlace: readers.every(({ inPlace }) => inPlace) ? 2 : undefined,
            // Whatever its services have been restarted for is recorded, not repeated, if its resources are new.
            isRolledOut: readers.every(({ trigger, finished }) => trigger === finished),
            brought: readers.map(({ brought }) => brought),
          };
        }),
        hosts,
        privateKey,
      },
      { dependsOn: shares.map(({ stored }) => stored) },
    );
  }
}
