import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { failureCode, fetchAccount, tryLogin } from "./clients";
import type { Credentials } from "./credentials";
import { tryRedisLogin } from "./redis";
import type { Attempt, LoadOrder, ServiceConfig } from "./types";

const LOOK_EVERY_MS = 500;
const QUIET_LOOK_EVERY_MS = 10_000;
// A slow server gets fewer attempts, not a growing queue.
const MAX_AT_ONCE = 8;

/** Makes attempts while the lab's load file says so, with what the service holds at each moment. */
export class LoadWorker {
  private order: LoadOrder | undefined;
  private readonly timers = new Map<Attempt["kind"], { rate: number; timer: NodeJS.Timeout }>();
  private readonly made = { login: 0, alpaca: 0 };
  private readonly running = { login: 0, alpaca: 0 };
  private stopped = false;
  private busy = false;

  constructor(
    private readonly config: ServiceConfig,
    private readonly held: () => Credentials | undefined,
  ) {}

  /** Checks for an order now and every half second; a quiet service every 10 s. */
  start(): void {
    this.look();
    setInterval(() => this.look(), this.config.quiet ? QUIET_LOOK_EVERY_MS : LOOK_EVERY_MS).unref();
  }

  /** Starts no more attempts; running ones are not recorded, because the service itself ends them. */
  stop(): void {
    this.stopped = true;
    for (const { timer } of this.timers.values()) clearInterval(timer);
  }

  /** Marks itself busy before it reads the order: if the lab removed the order and sees no busy service, none will start. */
  private look(): void {
    const { load, busy } = this.config.files;
    if (this.stopped || (!this.busy && !existsSync(load))) return;
    if (!this.busy) writeFileSync(busy, String(process.pid));
    this.busy = true;
    const text = textOf(load);
    try {
      this.order = text ? (JSON.parse(text) as LoadOrder) : undefined;
    } catch {
      return; // Half written; the next check sees the whole.
    }
    this.rest();
    this.pace("login", this.config.database || this.config.redis ? (this.order?.loginsPerSecond ?? 0) : 0);
    this.pace("alpaca", this.config.alpaca ? (this.order?.alpacaPerSecond ?? 0) : 0);
  }

  /** Without an order and a running attempt. */
  private rest(): void {
    if (!this.busy || this.order !== undefined || this.running.login + this.running.alpaca > 0) return;
    rmSync(this.config.files.busy, { force: true });
    this.busy = false;
  }

  private pace(kind: Attempt["kind"], rate: number): void {
    const now = this.timers.get(kind);
    if (this.stopped || now?.rate === rate || (!now && rate <= 0)) return;
    if (now) clearInterval(now.timer);
    this.timers.delete(kind);
    if (rate > 0) this.timers.set(kind, { rate, timer: setInterval(() => void this.attempt(kind), 1000 / rate) });
  }

  private async attempt(kind: Attempt["kind"]): Promise<void> {
    const order = this.order;
    const held = this.held();
    if (this.stopped || !order || !held || Date.now() > order.until) return;
    if (this.made[kind] >= order.max || this.running[kind] >= MAX_AT_ONCE) return;
    this.made[kind] += 1;
    this.running[kind] += 1;
    try {
      await this.record(kind, held);
    } finally {
      this.running[kind] -= 1;
      this.rest();
    }
  }

  private async record(kind: Attempt["kind"], held: Credentials): Promise<void> {
    const t = Date.now();
    const begin = performance.now();
    const code = await this.once(kind, held).then(() => undefined, failureCode);
    if (this.stopped) return;
    const ms = Math.round(performance.now() - begin);
    const line: Attempt = { kind, t, ms, ok: code === undefined, ...(code !== undefined && { code }) };
    await appendFile(this.config.files.attempts, `${JSON.stringify(line)}\n`);
  }

  private async once(kind: Attempt["kind"], held: Credentials): Promise<void> {
    if (kind === "login" && this.config.database && held.database) {
      await tryLogin(this.config.database, held.database);
    } else if (kind === "login" && this.config.redis && held.redis) {
      await tryRedisLogin(this.config.redis, held.redis.password);
    } else if (kind === "alpaca" && this.config.alpaca && held.alpaca) {
      await fetchAccount(this.config.alpaca, held.alpaca);
    }
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // Removed.
  }
}
