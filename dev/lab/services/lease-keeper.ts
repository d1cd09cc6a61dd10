import { type Lease, LeaseLostError, type LeaseSource, nearsItsEnd, renewAt, shortLease } from "./leases";

/** The pause after a renewal that Vault did not answer. */
const RETRY_MS = 500;

export interface LeaseKeeperOptions {
  readonly source: LeaseSource;
  /** Fetches a new login and works with it from then on. */
  readonly replace: () => Promise<void>;
  /** Receives failures; what failed is retried. */
  readonly onFailure: (error: unknown) => void;
  readonly log: (level: "INFO" | "ERROR", message: string) => void;
}

/** Keeps the service's lease alive: renews it, and replaces it before `max_ttl` ends it and as soon as it is lost. */
export class LeaseKeeper {
  private held: Lease | undefined;
  private timer: NodeJS.Timeout | undefined;
  private replacing: Promise<void> | undefined;

  constructor(private readonly options: LeaseKeeperOptions) {}

  /** The lease as it is now, with its latest end. */
  get lease(): Lease | undefined {
    return this.held;
  }

  /** Keeps this lease from now on; the previous one expires. */
  keep(lease: Lease | undefined): void {
    this.held = lease;
    if (lease !== undefined) this.wakeAt(renewAt(lease, Date.now()));
    else clearTimeout(this.timer);
  }

  /** Checks the lease at once, because the database refused the service. */
  async check(): Promise<void> {
    const lease = this.held;
    if (lease !== undefined && this.replacing === undefined) await this.tend(lease);
  }

  private wakeAt(time: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.check(), Math.max(0, time - Date.now()));
    this.timer.unref();
  }

  private async tend(lease: Lease): Promise<void> {
    const { source, log } = this.options;
    try {
      const renewed = await source.renew(lease);
      if (this.held !== lease) return;
      if (nearsItsEnd(renewed, Date.now())) {
        log("INFO", `the database lease ${shortLease(lease.id)} nears its max_ttl: fetching a new credential`);
        return await this.replace();
      }
      this.keep(renewed);
    } catch (error) {
      if (this.held !== lease) return;
      if (error instanceof LeaseLostError || Date.now() >= lease.expiresAt) {
        log("ERROR", new LeaseLostError(lease.id).message);
        return this.replace();
      }
      // The lease is still valid.
      log("ERROR", `the database lease ${shortLease(lease.id)} could not be renewed: ${(error as Error).message}`);
      this.wakeAt(Date.now() + RETRY_MS);
    }
  }

  /** One replacement at a time; one that fails is retried. */
  private replace(): Promise<void> {
    this.replacing ??= this.options
      .replace()
      .catch((error: unknown) => {
        this.options.onFailure(error);
        this.wakeAt(Date.now() + RETRY_MS);
      })
      .finally(() => {
        this.replacing = undefined;
      });
    return this.replacing;
  }
}
