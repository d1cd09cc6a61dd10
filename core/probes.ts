import * as z from "zod";

/** What probes saw while an update ran: a part of the outputs of its audit row. */
export const probeFigures = z.object({
  /** When they began and ended, ISO 8601. */
  since: z.string(),
  until: z.string(),
  logins: z.object({
    /** Logins with what a service would use, that were answered. */
    tried: z.number(),
    /** Those that a service would have missed. */
    failed: z.number(),
  }),
  /** The longest time that a client which keeps trying would have waited for its login, in milliseconds. */
  longestGapMs: z.number(),
  /** Refusals that the rotation itself brings about, such as those of a single user until its services have restarted. */
  exposure: z.object({ refused: z.number(), seconds: z.number() }).optional(),
  /** Logins that could not be tried: a host was not reached, or the server had no connection left. */
  unseen: z.number().optional(),
  /** The ways that were probed. */
  ways: z.array(z.string()),
  /** Ways that the credential in use could not go when the update began: they were not probed. */
  skipped: z.array(z.string()).optional(),
  /** How long services had no healthy place, in seconds: of all together, and of each that had. */
  unavailable: z.object({ seconds: z.number(), services: z.record(z.string(), z.number()) }),
  /** The first that failed. */
  failures: z.array(z.object({ at: z.string(), way: z.string(), words: z.string() })).optional(),
  /** Set if `probe.limit` was reached: nothing was tried after that. */
  full: z.literal(true).optional(),
});

export type ProbeFigures = z.output<typeof probeFigures>;

/** The environment variable with the file into which probes write a line of JSON for what they see. */
export const PROBES_FILE = "SECRET_ROTATION_PROBES_FILE";

/** A line of it. */
export const probeLine = z.object({ secret: z.string(), figures: probeFigures });

/** How a login ended. `unseen`: it says nothing about the credential. */
export type Ending = "works" | "refused" | "failed" | "unseen";

/** One login. */
export interface Tried {
  readonly way: string;
  /** Which credential, by its number. */
  readonly credential: number;
  /** Milliseconds. */
  readonly began: number;
  readonly ended: number;
  readonly ending: Ending;
  /** Whether a refusal is a part of the rotation. */
  readonly mayRefuse: boolean;
  readonly words?: string | undefined;
}

/** How many failures a row names. */
const NAMED = 3;

/** Counts logins and the health of services. Pure: every time is an argument. */
export class ProbeTally {
  private tried = 0;
  private failed = 0;
  private unseen = 0;
  private refused = 0;
  private firstRefusal: number | undefined;
  private longestGap = 0;
  private readonly failures: { at: string; way: string; words: string }[] = [];
  /** When the first of the logins began that failed in a row, by way and credential. */
  private readonly failing = new Map<string, number>();

  constructor(private readonly since: number) {}

  get counts(): { readonly tried: number; readonly failed: number } {
    return { tried: this.tried, failed: this.failed };
  }

  note({ way, credential, began, ended, ending, mayRefuse, words = "" }: Tried): void {
    if (ending === "unseen") {
      this.unseen += 1;
      return;
    }
    this.tried += 1;
    if (ending === "refused" && mayRefuse) {
      this.refused += 1;
      this.firstRefusal ??= began;
      return;
    }
    const key = JSON.stringify([way, credential]);
    if (ending === "works") {
      this.longestGap = Math.max(this.longestGap, ended - (this.failing.get(key) ?? began));
      this.failing.delete(key);
      return;
    }
    this.failed += 1;
    if (!this.failing.has(key)) this.failing.set(key, began);
    if (this.failures.length < NAMED) this.failures.push({ at: new Date(began).toISOString(), way, words });
  }

  /** What was seen until now. */
  figures(
    until: number,
    more: Pick<ProbeFigures, "ways" | "skipped" | "full"> & { readonly unavailable: Readonly<Record<string, number>> },
  ): ProbeFigures {
    const { tried, failed, unseen, refused, failures } = this;
    const open = [...this.failing.values()].map((began) => until - began);
    const { unavailable, skipped = [], ways, full } = more;
    const down = Object.entries(unavailable).filter(([, milliseconds]) => milliseconds > 0);
    return {
      since: new Date(this.since).toISOString(),
      until: new Date(until).toISOString(),
      logins: { tried, failed },
      longestGapMs: Math.round(Math.max(this.longestGap, ...open)),
      ...(refused === 0 ? {} : { exposure: { refused, seconds: seconds(until - (this.firstRefusal ?? until)) } }),
      ...(unseen === 0 ? {} : { unseen }),
      ways,
      ...(skipped.length === 0 ? {} : { skipped }),
      unavailable: {
        seconds: seconds(down.reduce((sum, [, milliseconds]) => sum + milliseconds, 0)),
        services: Object.fromEntries(down.map(([name, milliseconds]) => [name, seconds(milliseconds)])),
      },
      ...(failures.length === 0 ? {} : { failures: [...failures] }),
      ...(full === undefined ? {} : { full }),
    };
  }
}

const seconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;

/** Follows the places of services: a service is unavailable while none of them is healthy. Pure. */
export class Availability {
  private readonly places = new Map<string, Map<string, boolean>>();
  private readonly downSince = new Map<string, number>();
  private readonly down = new Map<string, number>();

  /** @param healthy what the place answered to a request that was sent at `at` */
  note(service: string, place: string, healthy: boolean, at: number): void {
    const all = this.places.get(service) ?? new Map<string, boolean>();
    this.places.set(service, all.set(place, healthy));
    const since = this.downSince.get(service);
    const isUp = [...all.values()].some(Boolean);
    if (!isUp && since === undefined) this.downSince.set(service, at);
    if (isUp && since !== undefined) {
      this.down.set(service, this.downFor(service, at));
      this.downSince.delete(service);
    }
  }

  /** Milliseconds of each of these services. */
  of(services: readonly string[], until: number): Record<string, number> {
    return Object.fromEntries(services.map((service) => [service, this.downFor(service, until)]));
  }

  private downFor(service: string, until: number): number {
    const since = this.downSince.get(service);
    return (this.down.get(service) ?? 0) + (since === undefined ? 0 : Math.max(0, until - since));
  }
}

/** `0 of 12,345 logins failed, longest gap 40 ms, services unavailable 0.0 s` */
export function probeWords({ logins, longestGapMs, exposure, unseen, unavailable, full }: ProbeFigures): string {
  const { tried, failed } = logins;
  return [
    `${counted(failed)} of ${counted(tried)} logins failed`,
    `longest gap ${longestGapMs < 10_000 ? `${longestGapMs} ms` : `${seconds(longestGapMs)} s`}`,
    `services unavailable ${unavailable.seconds.toFixed(1)} s`,
    ...(exposure === undefined ? [] : [`${counted(exposure.refused)} refused in the known window`]),
    ...(unseen === undefined ? [] : [`${counted(unseen)} could not be tried`]),
    ...(full === undefined ? [] : ["probe.limit was reached"]),
  ].join(", ");
}

const counted = (number: number) => number.toLocaleString("en-US");

/** The sentence of a row's outputs; undefined if they hold no figures. */
export function probesIn(outputs: unknown): string | undefined {
  const found = probeFigures.safeParse((outputs as { readonly probes?: unknown } | null | undefined)?.probes);
  return found.success ? probeWords(found.data) : undefined;
}
