import { readFile, rm, writeFile } from "node:fs/promises";
import { poll } from "./poll";
import { isAlive } from "./processes";
import type { Attempt, LoadOrder, ServiceFiles } from "./services/types";
import type { Host } from "./ssh-host";

/** What {@link startLoad} takes. */
export interface LoadOptions {
  /** New logins a second, over all services together; 0 by default, at most 500. */
  loginsPerSecond?: number;
  /** Requests for `/v2/account` a second, over all services together; 0 by default, at most 500. */
  alpacaPerSecond?: number;
  /** Only these services; all by default. One that uses neither database nor Alpaca makes no attempt. */
  services?: readonly string[];
  /** Ends by itself after so many seconds; 900 by default, which is also the most. */
  limitSeconds?: number;
}

/** An attempt that failed. */
export interface Failure {
  /** Epoch milliseconds at its start. */
  t: number;
  /** How long it took, in milliseconds. */
  ms: number;
  service: string;
  /** SQLSTATE, HTTP status or the name of a network error. */
  code: string;
}

/** The outcomes of one kind of attempt. */
export interface Outcome {
  tried: number;
  failed: number;
  failures: Failure[];
  /** Every attempt, failed or not. */
  attempts: Omit<Failure, "code" | "ms">[];
}

export interface LoadResult {
  logins: Outcome;
  alpaca: Outcome;
}

/** How many attempts of each kind must have been made. */
export interface Enough {
  readonly logins?: number;
  readonly alpaca?: number;
}

/** A running load. */
export interface Load {
  /** The outcomes so far. */
  snapshot(): Promise<LoadResult>;
  /**
   * Ends it and returns all outcomes, once at least so many were tried: a fast machine finishes its work after few. A second
   * call returns the same.
   *
   * @throws Error if the services do not try as many within four minutes
   */
  stop(enough?: Enough): Promise<LoadResult>;
}

const MAX_PER_SECOND = 500;
const MAX_SECONDS = 900;
const MAX_ATTEMPTS = 100_000;
/** An attempt gives up after 5 s, and a quiet service looks for its orders every 10 s. */
const SETTLE_LIMIT_MS = 30_000;
const ENOUGH_LIMIT_MS = 240_000;

/**
 * Lets the services make attempts with what they hold at each moment: a service that is down or restarting makes none.
 * One load at a time; outcomes of an earlier one are dropped.
 */
export async function startLoad(lab: { hosts: readonly Host[] }, options: LoadOptions): Promise<Load> {
  const running = lab.hosts
    .flatMap((host) => host.services)
    .filter((service) => options.services === undefined || options.services.includes(service.name));
  const share = (rate: number | undefined, users: number): number =>
    users === 0 ? 0 : Math.min(rate ?? 0, MAX_PER_SECOND) / users;
  const order: LoadOrder = {
    loginsPerSecond: share(
      options.loginsPerSecond,
      running.filter(({ config }) => config.database || config.redis).length,
    ),
    alpacaPerSecond: share(options.alpacaPerSecond, running.filter(({ config }) => config.alpaca).length),
    until: Date.now() + Math.min(options.limitSeconds ?? MAX_SECONDS, MAX_SECONDS) * 1000,
    max: MAX_ATTEMPTS,
  };
  const files = running.map(({ name, config }) => ({ name, ...config.files }));
  await Promise.all(files.map((file) => rm(file.attempts, { force: true })));
  await Promise.all(files.map((file) => writeFile(file.load, JSON.stringify(order))));

  const snapshot = () => readOutcomes(files);
  let stopped: Promise<LoadResult> | undefined;
  const end = async ({ logins = 0, alpaca = 0 }: Enough): Promise<LoadResult> => {
    const isEnough = (found: LoadResult) => found.logins.tried >= logins && found.alpaca.tried >= alpaca;
    await poll(async () => isEnough(await snapshot()), {
      what: `${logins} logins and ${alpaca} requests to Alpaca`,
      limitMs: ENOUGH_LIMIT_MS,
    });
    await Promise.all(files.map((file) => rm(file.load, { force: true })));
    await poll(async () => !(await Promise.all(files.map(isBusy))).includes(true), {
      what: "the end of the last attempts under load",
      limitMs: SETTLE_LIMIT_MS,
    });
    return snapshot();
  };
  const stop = (enough: Enough = {}) => {
    stopped ??= end(enough);
    return stopped;
  };
  return { snapshot, stop };
}

/** A service that was ended in the middle left its file behind, and makes no attempt any more. */
async function isBusy({ busy }: ServiceFiles): Promise<boolean> {
  const pid = await readFile(busy, "utf8").catch(() => undefined);
  // Empty for the moment in which it is written.
  return pid !== undefined && (pid === "" || isAlive(Number(pid)));
}

async function readOutcomes(files: readonly ({ name: string } & ServiceFiles)[]): Promise<LoadResult> {
  const result: LoadResult = { logins: noOutcome(), alpaca: noOutcome() };
  for (const { name, attempts } of files) {
    const text = await readFile(attempts, "utf8").catch(() => "");
    // The last line may be half written.
    for (const line of text.split("\n").slice(0, -1)) {
      const attempt = JSON.parse(line) as Attempt;
      const outcome = attempt.kind === "login" ? result.logins : result.alpaca;
      outcome.tried += 1;
      outcome.attempts.push({ t: attempt.t, service: name });
      if (attempt.ok) continue;
      outcome.failed += 1;
      outcome.failures.push({ t: attempt.t, ms: attempt.ms, service: name, code: attempt.code ?? "UNKNOWN" });
    }
  }
  for (const { failures } of [result.logins, result.alpaca]) failures.sort((a, b) => a.t - b.t);
  return result;
}

const noOutcome = (): Outcome => ({ tried: 0, failed: 0, failures: [], attempts: [] });

/** The part of an outcome that some services had from one moment to another (epoch milliseconds). */
export function during(outcome: Outcome, services: readonly string[], from: number, to: number): Outcome {
  const within = ({ t, service }: { t: number; service: string }) => t >= from && t <= to && services.includes(service);
  const [attempts, failures] = [outcome.attempts.filter(within), outcome.failures.filter(within)];
  return { tried: attempts.length, failed: failures.length, failures, attempts };
}

/** How many attempts failed for which reason, by service: `execution-gateway ETIMEDOUT 24`. */
export function failureCounts(failures: readonly Failure[]): string {
  const counts = new Map<string, number>();
  for (const { service, code } of failures)
    counts.set(`${service} ${code}`, (counts.get(`${service} ${code}`) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${what} ${count}`).join(", ");
}

/** Seconds from the first to the last failed attempt; 0 without a failure. */
export function exposure(failures: readonly Pick<Failure, "t">[]): number {
  const times = failures.map((failure) => failure.t);
  return times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
}
