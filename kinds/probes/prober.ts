import { askHealth } from "../../clients/probe";
import { type RunScript, shellHere } from "../../clients/shell";
import { type Reach, withHost } from "../../clients/ssh";
import { Availability, type ProbeFigures } from "../../core/probes";
import type { Standpoint } from "../postgres-password/rehearsal/rehearse";
import { LoginProbes } from "./login-probes";
import type { ProbedSecret, ProbeOrder } from "./order";

/** Milliseconds between two health requests to a service, and between two reports. */
const HEALTH_PAUSE = 1000;

/** Seconds that an answer may take. */
const HEALTH_LIMIT = 5;

/** What a prober tells while it runs. */
export interface ProbeListener {
  /** What was seen until now, each second, and at the end. */
  seen(secret: string, figures: ProbeFigures): void;
  /** Once, when more logins have failed than the config lets pass. */
  tooMany(secret: string, figures: ProbeFigures): void;
}

/** Probes the logins of secrets and the health of services, until it is ended. */
export class Prober {
  private readonly availability = new Availability();
  private readonly secrets = new Map<string, { readonly secret: ProbedSecret; readonly probes: LoginProbes }>();
  private readonly standpoints = new Map<string, Promise<Standpoint>>();
  private readonly settled = new Map<string, Promise<ProbeFigures>>();
  private readonly tooMany = new Set<string>();
  private readonly timer: NodeJS.Timeout;
  private closing: () => void = () => undefined;
  private readonly closed = new Promise<void>((resolve) => {
    this.closing = resolve;
  });
  private isEnded = false;

  constructor(
    private readonly order: ProbeOrder,
    private readonly listener: ProbeListener,
  ) {
    this.timer = setInterval(() => this.report(), HEALTH_PAUSE);
    for (const asked of byHost(order.services)) void this.follow(asked);
  }

  /** Begins with a secret. */
  add(secret: ProbedSecret): void {
    if (this.secrets.has(secret.name)) return;
    const given = { ...this.order, standpointOf: (host: Host) => this.standpointOf(host) };
    const probes = new LoginProbes(secret, given, () => this.judge(secret.name));
    this.secrets.set(secret.name, { secret, probes });
    void probes.begin().catch(() => undefined);
  }

  /** Ends with a secret. Undefined for one that is not probed. */
  settle(name: string): Promise<ProbeFigures> | undefined {
    const found = this.secrets.get(name);
    if (found === undefined) return undefined;
    const settled =
      this.settled.get(name) ??
      found.probes.end().then(() => {
        const figures = this.figures(name);
        this.listener.seen(name, figures);
        return figures;
      });
    this.settled.set(name, settled);
    if (this.settled.size === this.secrets.size) void settled.finally(() => this.end());
    return settled;
  }

  /** Ends all of it, and the connections to hosts. */
  end(): void {
    this.isEnded = true;
    clearInterval(this.timer);
    for (const { probes } of this.secrets.values()) void probes.end();
    this.closing();
  }

  private report(): void {
    for (const name of this.secrets.keys()) if (!this.settled.has(name)) this.listener.seen(name, this.figures(name));
  }

  private judge(name: string): void {
    const { secret, probes } = this.secrets.get(name) ?? {};
    if (secret === undefined || probes === undefined) return;
    if (!secret.stops || this.tooMany.has(name) || this.settled.has(name)) return;
    if (probes.counts.failed <= this.order.threshold) return;
    this.tooMany.add(name);
    const figures = this.figures(name);
    // The program ends at once: this is the last that a reader hears.
    this.listener.seen(name, figures);
    this.listener.tooMany(name, figures);
  }

  private figures(name: string): ProbeFigures {
    const { secret, probes } = this.secrets.get(name) as { secret: ProbedSecret; probes: LoginProbes };
    return probes.figures(this.availability.of(secret.services, Date.now()));
  }

  /** The health of the services at one place, again and again: in one session, since an SSH server allows few at once. */
  private async follow(asked: readonly Asked[]): Promise<void> {
    const host = asked[0]?.host;
    while (!this.isEnded) {
      const at = Date.now();
      try {
        const { run } = await this.standpointOf(host);
        const probes = asked.map(({ probe }) => probe);
        for (const [index, { healthy }] of (await askHealth(probes, run, HEALTH_LIMIT)).entries())
          this.availability.note(asked[index]?.service ?? "", host?.name ?? "", healthy, at);
      } catch {
        // A host that is not reached says nothing about the service.
      }
      await new Promise((resolve) => setTimeout(resolve, HEALTH_PAUSE).unref());
    }
  }

  /** One connection to each host for the whole update; one that fails is opened again at the next request. */
  private standpointOf(host: Host): Promise<Standpoint> {
    if (host === undefined) return Promise.resolve({ reach: undefined, run: shellHere() });
    const found = this.standpoints.get(host.name) ?? this.open(host);
    this.standpoints.set(host.name, found);
    return found;
  }

  private open(host: NonNullable<Host>): Promise<Standpoint> {
    return new Promise((resolve, reject) => {
      const use = (run: RunScript, reach: Reach) => {
        resolve({ run, reach });
        return this.closed;
      };
      withHost(host.name, host, this.order.privateKey, use, 1).catch((error: unknown) => {
        this.standpoints.delete(host.name);
        reject(error as Error);
      });
    });
  }
}

type Service = ProbeOrder["services"][number];
type Host = Service["places"][number]["host"];
type Asked = Service["places"][number] & { readonly service: string };

/** The services at each place. */
function byHost(services: readonly Service[]): Asked[][] {
  const places = new Map<string, Asked[]>();
  for (const { name, places: all } of services)
    for (const place of all) {
      const key = place.host?.name ?? "";
      places.set(key, [...(places.get(key) ?? []), { ...place, service: name }]);
    }
  return [...places.values()];
}
