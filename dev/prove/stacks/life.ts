import { clearLocks } from "../../../cli/operate/recover";
import type { LockHolder } from "../../../cli/operate/state-file";
import { type Config, parseConfig, policyOf } from "../../../config";
import { unfinishedOf } from "../../../core/begun";
import { openingAt } from "../../../core/calendar";
import { dueFrom, graceEndsAt, limitAt } from "../../../core/deadlines";
import type { Decision } from "../../../core/decide";
import { kubernetesName, spreadSchedule } from "../../../core/schedule";
import { activeGeneration, type SecretState } from "../../../core/state";
import { decideSecret } from "../../../kinds";
import { type End, Jobs, type Pod } from "./cluster";
import { type Log, Platform } from "./platform";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** All stacks were adopted on this day, the worst case: their 90 days end together. */
const START = Date.parse("2026-09-06T12:00:00Z");
const END = START + 100 * DAY;

/** What a simulation varies. */
export interface Setting {
  readonly seed: number;
  readonly stacks: number;
  /** Whether a run may see the Jobs of its namespace. `always`: a wrong rule, which takes every lock for one left behind. */
  readonly sees: "jobs" | "nothing" | "always";
  /** Whether stacks begin at minutes of their own, with `policy.jitter`. */
  readonly spread: boolean;
}

const CALENDARS = [
  { window: [{ days: ["SAT", "SUN"], from: "02:00", to: "05:00", timezone: "America/New_York" }], lead: "14d" },
  { window: [{ from: "14:00", to: "23:00", timezone: "America/New_York" }], lead: "4d" },
  { window: [{ from: "00:00", to: "06:00", timezone: "Etc/UTC" }], lead: "4d" },
];

export function configOf(index: number, spread: boolean): Config {
  const { lead, ...calendar } = CALENDARS[index % CALENDARS.length] as (typeof CALENDARS)[0];
  const config = {
    ...{ ...calendar, environment: "prod", store: { kind: "vault" } },
    market: { exchange: "XNYS" },
    blackouts: ["2026-11-26/2026-11-29"],
    hosts: { "app-1": { address: "10.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA" } },
    services: { orders: { hosts: ["app-1"], health: "http://{address}:8000/health" } },
    policy: { lead, ...(spread ? { jitter: "7d" } : {}) },
    secrets: [
      {
        ...{
          kind: "postgres-password",
          name: `database/db-${index}`,
          restart: ["orders"],
          strategy: "alternating-users",
        },
        database: { host: "db.internal", name: `db_${index}` },
      },
    ],
    sshPrivateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n",
  };
  const raw = Object.entries(config).map(([key, value]) => [
    `secret-rotation:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseConfig(Object.fromEntries(raw), `prod-${index}`);
}

/** One stack's life from the adoption to the end of the old login, with the program's own decisions and rules. */
export class Life {
  private readonly platform: Platform;
  private readonly jobs: Jobs;
  private readonly stack: string;
  private readonly secret: Config["secrets"][0];
  private lock: LockHolder | undefined;
  private engines = 0;
  private failure: unknown;
  private quiet: { readonly state: SecretState; readonly until: number } | undefined;
  readonly deaths: End[] = [];
  readonly begun: { readonly at: number; readonly inOpening: boolean; readonly limit: number }[] = [];
  readonly pods: number[] = [];
  readonly rotations: { readonly from: number; readonly to: number }[] = [];
  readonly counts = { acting: 0, refused: 0, cleared: 0, resumed: 0 };

  constructor(
    index: number,
    private readonly random: () => number,
    private readonly config: Config,
    private readonly setting: Setting,
    log: Log,
  ) {
    this.stack = `prod-${index}`;
    this.secret = config.secrets[0] as Config["secrets"][0];
    const adopted = this.decide(START + random() * HOUR, undefined, undefined).state;
    this.platform = new Platform(this.secret.name, adopted, log);
    this.jobs = new Jobs(random);
  }

  private decide(at: number, finished: SecretState | undefined, recorded: SecretState | undefined): Decision {
    // Nobody uses the old login when its grace period is over: `npm run prove -- disuse` is about that.
    return decideSecret(this.config, this.secret, { finished, recorded }, new Date(at), { previousInUse: "" });
  }

  private decideNow = (at: number) => this.decide(at, this.platform.finished, this.platform.recorded);

  /** Every tick of the schedule at which anything can be due; a run that finds nothing is over at once. */
  async live(): Promise<void> {
    const [minute = "0"] = (this.setting.spread ? spreadSchedule("0 * * * *", this.stack) : "0").split(" ");
    for (let at = START + Number(minute) * MINUTE; at < END && !this.isSettled; at += HOUR) {
      await this.goOn(at);
      if (at < this.quietUntil()) continue;
      if (this.failure !== undefined) throw this.failure;
      if (!this.jobs.isBusy(at)) this.begin(at);
      // By hand, in the middle of a run: a CronJob does not see it.
      if (this.random() < 0.05) this.begin(at + 2 * MINUTE);
    }
    await this.goOn(END);
    if (this.failure !== undefined) throw this.failure;
    this.platform.check();
  }

  private begin(at: number): void {
    this.run(at).catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  private readonly waiting: { readonly at: number; readonly go: () => void }[] = [];

  /** A process of the model waits until this time. */
  private until(at: number): Promise<void> {
    return new Promise((go) => this.waiting.push({ at, go }));
  }

  /** Lets the processes of the model go on until a time, each step in its order. */
  private async goOn(to: number): Promise<void> {
    for (;;) {
      // What was called before has its turn first.
      await new Promise((done) => setImmediate(done));
      const next = this.waiting.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > to) return;
      this.waiting.splice(this.waiting.indexOf(next), 1);
      next.go();
    }
  }

  /** Before this nothing is due, by the program's own dates. */
  private quietUntil(): number {
    const { finished, recorded } = this.platform;
    if (finished === undefined || unfinishedOf(finished, recorded) !== undefined) return 0;
    if (this.quiet?.state !== finished) {
      const policy = policyOf(this.config, this.secret);
      const due = dueFrom(finished, policy).getTime();
      const until = finished.revoked ? due : Math.min(due, graceEndsAt(finished, policy).getTime());
      this.quiet = { state: finished, until };
    }
    return this.quiet.until;
  }

  /** Rotated, and the old login ended. */
  get isSettled(): boolean {
    const { finished } = this.platform;
    return finished !== undefined && activeGeneration(finished) === 2 && finished.revoked;
  }

  private podAt(at: number): Pod {
    const job = `secret-rotation-${kubernetesName(this.stack, 32)}-${Math.floor(at / MINUTE)}`;
    const letters = Math.floor(this.random() * 36 ** 5)
      .toString(36)
      .padStart(5, "0");
    const draw = this.random();
    const ends: End =
      draw < 0.6
        ? "itself"
        : draw < 0.68
          ? "drained"
          : draw < 0.9
            ? "killed"
            : draw < 0.95
              ? "node lost, killed"
              : "node lost, goes on";
    return { job, host: `${job}-${letters}`, ends, after: Math.floor(this.random() * 11) };
  }

  private async run(at: number): Promise<void> {
    const pod = this.podAt(at);
    await this.until(at);
    this.pods.push(at);
    this.jobs.begin(pod.job);
    const found = this.decideNow(at);
    // A run that finds nothing is over within seconds.
    if (!found.resumes && found.action === undefined) return this.jobs.end(pod.job, "itself", at);
    this.counts.acting++;
    this.jobs.end(pod.job, pod.ends, await this.update(pod, at + 0.3 * MINUTE));
  }

  /** @returns when the process ended */
  private async update(pod: Pod, from: number): Promise<number> {
    let now = from;
    await this.until(now);
    // A service is down, or the database.
    if (this.random() < 0.05) {
      this.counts.refused++;
      return now;
    }
    if (!(await this.takeLock(pod, now))) return now;
    const decision = this.decideNow(now);
    // Another run finished it before this one had the lock.
    if (!decision.resumes && decision.action === undefined) {
      this.lock = undefined;
      return now;
    }
    if (++this.engines > 1) throw new Error(`${this.stack}: two engines at once`);
    if (decision.resumes) this.counts.resumed++;
    else this.noteBegin(decision, now);
    const isKilled = pod.ends === "killed" || pod.ends === "node lost, killed";
    const stops = isKilled || pod.ends === "drained";
    if (pod.ends !== "itself" && pod.ends !== "drained") this.deaths.push(pod.ends);
    const steps = this.platform.steps(decision).filter(({ name }) => !this.platform.has(name));
    for (const [index, { name, act }] of steps.entries()) {
      if (stops && index === pod.after) {
        if (!isKilled) this.deaths.push("drained");
        break;
      }
      now += (0.2 + this.random()) * MINUTE;
      await this.until(now);
      act(now);
      this.platform.check();
      // Killed between what a step did and the engine's note of it.
      if (isKilled && index + 1 === pod.after && this.random() < 0.5) break;
      this.platform.note(name);
    }
    this.engines--;
    this.rotations.push({ from, to: now });
    if (!isKilled) this.lock = undefined;
    return now;
  }

  private async takeLock({ host }: Pod, now: number): Promise<boolean> {
    const held = this.lock === undefined ? [] : [this.lock];
    const { sees } = this.setting;
    const isGone = async (other: string) =>
      sees === "always" || (sees === "jobs" && (await this.jobs.podHasEnded(other, now)));
    const engine = {
      cancel: async () => {
        this.lock = undefined;
      },
    };
    try {
      this.counts.cleared += (await clearLocks(engine, held, { dir: "/", stack: this.stack }, isGone)).length;
    } catch {
      this.counts.refused++;
      return false;
    }
    this.lock = { hostname: host, username: "rotation", pid: 7, timestamp: new Date(now).toISOString() };
    return true;
  }

  private noteBegin({ action }: Decision, at: number): void {
    if (action !== "ROTATE") return;
    const { calendar, maxAge } = policyOf(this.config, this.secret);
    const limit = limitAt(this.platform.finished as SecretState, { maxAge } as never).getTime();
    this.begun.push({ at, inOpening: calendar !== undefined && openingAt(calendar, at) !== undefined, limit });
  }

  check = () => this.platform.checkSettled();
}
