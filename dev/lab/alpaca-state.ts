import { randomInt, randomUUID } from "node:crypto";
import { randomSecret, type SecretGenerator } from "./secrets";

/** An account of the broker. */
export interface AlpacaAccount {
  id: string;
  account_number: string;
  /** ACTIVE, or such as ACCOUNT_CLOSED and SUSPENDED. */
  status: string;
  buying_power: string;
}

/** A key pair as the dashboard shows it once. */
export interface AlpacaKey {
  keyId: string;
  secretKey: string;
  account: string;
  /** Epoch milliseconds from which it works. */
  activeFrom: number;
}

/** What goes wrong with requests: `times` limits to how many, `keyId` to those of one key (all by default). */
export type AlpacaFault = { times?: number; keyId?: string } & (
  | { status: 401 | 403 | 429 | 500 | 503; retryAfterSeconds?: number }
  | { slowMs: number }
  | { drop: true }
);

/** One request as the broker saw it. */
export interface AlpacaRequest {
  /** Epoch milliseconds. */
  t: number;
  path: string;
  /** 0 when the connection was dropped. */
  status: number;
  keyIdLast4: string;
}

export interface NewKey {
  /** Account number; the environment's first account by default. */
  account?: string;
  /** The key answers 401 for so many milliseconds; 0 by default. */
  activeAfterMs?: number;
  keyId?: string;
  secretKey?: string;
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const MAX_REQUESTS = 50_000;

/** Accounts, keys, clock and faults of one environment (paper or live). */
export class AlpacaState {
  readonly requests: AlpacaRequest[] = [];
  /** Every key that was ever made, oldest first, deleted ones too. */
  readonly made: AlpacaKey[] = [];
  private readonly accounts: AlpacaAccount[] = [];
  private readonly keys = new Map<string, AlpacaKey>();
  private fault: AlpacaFault | undefined;
  private open = false;

  constructor(
    readonly environment: "paper" | "live",
    private readonly secret: SecretGenerator = randomSecret,
  ) {
    this.createAccount();
  }

  /** A further account; the number is made up unless given. */
  createAccount(options: { number?: string; status?: string; buyingPower?: string } = {}): AlpacaAccount {
    const account = {
      id: randomUUID(),
      account_number: options.number ?? `${this.environment === "paper" ? "PA3" : "9"}${randomInt(1e7, 1e8)}`,
      status: options.status ?? "ACTIVE",
      buying_power: options.buyingPower ?? "100000",
    };
    this.accounts.push(account);
    return account;
  }

  /** The account with that number, or the first one. Throws when there is none. */
  account(number?: string): AlpacaAccount {
    const found = number === undefined ? this.accounts[0] : this.accounts.find((a) => a.account_number === number);
    if (!found) throw new Error(`expected an account ${number}, found ${this.accounts.map((a) => a.account_number)}`);
    return found;
  }

  /** What "Generate New Key" on the dashboard does; older keys keep working. */
  createKey(options: NewKey = {}): AlpacaKey {
    const key = {
      keyId: options.keyId ?? this.newKeyId(),
      secretKey: options.secretKey ?? this.secret("alpaca-secret-key"),
      account: this.account(options.account).account_number,
      activeFrom: Date.now() + (options.activeAfterMs ?? 0),
    };
    this.keys.set(key.keyId, key);
    this.made.push(key);
    return key;
  }

  /** What "Delete" on the dashboard does: the pair answers 401 from now on. False when there is no such key. */
  deleteKey(keyId: string): boolean {
    return this.keys.delete(keyId);
  }

  /** Lets the next requests fail; `undefined` ends it. */
  setFault(fault: AlpacaFault | undefined): void {
    this.fault = fault && { ...fault };
  }

  /** Opens or closes the market; it is closed at the start. */
  setMarket(open: boolean): void {
    this.open = open;
  }

  /** The fault for a request of this key, counting it. */
  takeFault(keyId: string): AlpacaFault | undefined {
    const { fault } = this;
    if (fault?.keyId !== undefined && fault.keyId !== keyId) return undefined;
    if (fault?.times !== undefined) {
      fault.times -= 1;
      if (fault.times <= 0) this.fault = undefined;
    }
    return fault;
  }

  /** The account of a pair that works now. */
  authenticate(keyId: string, secretKey: string): AlpacaAccount | undefined {
    const key = this.keys.get(keyId);
    if (!key || key.secretKey !== secretKey || Date.now() < key.activeFrom) return undefined;
    return this.account(key.account);
  }

  /** The answer of `GET /v2/clock`. */
  clock(now = new Date()): Record<string, unknown> {
    const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000).toISOString();
    return {
      timestamp: now.toISOString(),
      is_open: this.open,
      next_open: inHours(this.open ? 20 : 12),
      next_close: inHours(this.open ? 3 : 18.5),
    };
  }

  record(request: AlpacaRequest): void {
    if (this.requests.length < MAX_REQUESTS) this.requests.push(request);
  }

  private newKeyId(): string {
    const random = Array.from({ length: 18 }, () => UPPER[randomInt(UPPER.length)]).join("");
    return `${this.environment === "paper" ? "PK" : "AK"}${random}`;
  }
}
