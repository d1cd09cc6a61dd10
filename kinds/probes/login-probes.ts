import { type ProbeFigures, ProbeTally } from "../../core/probes";
import { redact } from "../../core/redact";
import type { ProbedSecret, ProbeOrder } from "./order";
import { StoredCredentials } from "./stored";
import { type ProbeWay, probeWays } from "./ways";

/** Milliseconds between two looks into the store. */
const LOOK = 1000;

/** Alpaca lets an account ask 200 times a minute, and services share it: milliseconds between two requests. */
const ALPACA_PAUSE = 2000;

/** Milliseconds until a way that does not work in the beginning is tried again; then it is no way of a service. */
const SECOND_TRY = 500;

/** Milliseconds that logins which were begun may take at the end. */
const LAST = 6000;

type Given = Omit<ProbeOrder, "session" | "services" | "privateKey"> & {
  readonly standpointOf: Parameters<typeof probeWays>[1];
};

/**
 * The logins of one secret while an update runs: with what the store holds, and with what it held before, in turns over all
 * ways. Not more than the rate, and one at a time for each way and credential.
 */
export class LoginProbes {
  private readonly tally: ProbeTally;
  private readonly stored: StoredCredentials | undefined;
  private ways: ProbeWay[] = [];
  private readonly skipped: string[] = [];
  private readonly busy = new Map<string, Promise<void>>();
  private readonly timers: NodeJS.Timeout[] = [];
  private turn = 0;
  private ended = false;

  constructor(
    private readonly secret: ProbedSecret,
    private readonly given: Given,
    /** Called after each login that failed. */
    private readonly onFailure: () => void,
  ) {
    this.tally = new ProbeTally(Date.now());
    this.stored = secret.logins && new StoredCredentials(given.store, secret.logins.reading);
  }

  get counts() {
    return this.tally.counts;
  }

  async begin(): Promise<void> {
    const { logins } = this.secret;
    if (logins === undefined || this.stored === undefined) return;
    await this.look();
    const { ways, skipped } = await probeWays(logins.target, this.given.standpointOf);
    this.skipped.push(...skipped);
    await this.keepWorking(ways);
    if (this.ended) return;
    const pause = Math.max(1000 / this.given.rate, logins.target.of === "alpaca" ? ALPACA_PAUSE : 0);
    this.timers.push(setInterval(() => this.next(), pause));
    this.every(LOOK, () => this.look());
  }

  /** What the credential in use can go when the update begins; the rehearsal and the preflight judge the rest. */
  private async keepWorking(ways: readonly ProbeWay[]): Promise<void> {
    const first = this.stored?.all[0];
    if (first === undefined) {
      this.skipped.push("the store holds no credential yet");
      return;
    }
    await Promise.all(
      ways.map(async (way) => {
        let { ending, words = "" } = await way.login(first);
        if (ending !== "works") {
          await new Promise((resolve) => setTimeout(resolve, SECOND_TRY));
          ({ ending, words = "" } = await way.login(first));
        }
        if (ending === "works") this.ways.push(way);
        else this.skipped.push(`${way.name}: ${this.clean(words)}`);
      }),
    );
    this.ways = ways.filter((way) => this.ways.includes(way));
  }

  /** One after the other, so that a store that is slow is asked less. */
  private every(pause: number, act: () => Promise<void>): void {
    const again = async () => {
      await act();
      if (!this.ended) this.timers.push(setTimeout(again, pause));
    };
    this.timers.push(setTimeout(again, pause));
  }

  private async look(): Promise<void> {
    // A store that does not answer is the preflight's and the writers' affair.
    await this.stored?.look(Date.now()).catch(() => undefined);
  }

  /** The next way and credential whose turn it is, if its last login has ended. */
  private next(): void {
    const credentials = this.stored?.all ?? [];
    const turns = this.ways.length * credentials.length;
    if (turns === 0 || this.isFull) return;
    const index = this.turn++ % turns;
    const way = this.ways[index % this.ways.length];
    // The newest first.
    const credential = credentials.length - 1 - Math.floor(index / this.ways.length);
    if (way === undefined) return;
    const key = `${credential} ${way.name}`;
    if (this.busy.has(key)) return;
    this.busy.set(
      key,
      this.try(way, credential).finally(() => this.busy.delete(key)),
    );
  }

  private get isFull(): boolean {
    return this.tally.counts.tried + this.busy.size >= this.given.limit;
  }

  private async try(way: ProbeWay, credential: number): Promise<void> {
    const began = Date.now();
    const { ending, words } = await way.login(this.stored?.all[credential] ?? {});
    const mayRefuse = credential === 0 && this.secret.firstMayBeRefused;
    const tried = { way: way.name, credential, began, ended: Date.now(), ending, mayRefuse };
    const { failed } = this.tally.counts;
    this.tally.note({ ...tried, words: this.clean(words ?? "") });
    if (this.tally.counts.failed > failed) this.onFailure();
  }

  private clean(words: string): string {
    const secrets = (this.stored?.all ?? []).flatMap((credential) =>
      Object.entries(credential).flatMap(([part, value]) => (part === "username" ? [] : [value])),
    );
    return redact(words, secrets).slice(0, 300);
  }

  figures(unavailable: Readonly<Record<string, number>>): ProbeFigures {
    const { ways, skipped, given, tally } = this;
    return tally.figures(Date.now(), {
      ways: ways.map(({ name }) => name),
      skipped,
      unavailable,
      ...(tally.counts.tried >= given.limit ? { full: true } : {}),
    });
  }

  /** Waits for the logins that were begun; a next one is not. */
  async end(): Promise<void> {
    this.ended = true;
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.race([
      Promise.allSettled([...this.busy.values()]),
      new Promise((resolve) => setTimeout(resolve, LAST).unref()),
    ]);
  }
}
