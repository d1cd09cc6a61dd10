import { type ChainVerdict, verifyChain } from "../../../audit/verify";
import type { Toolchain } from "../../toolchain/resolve";
import type { AlpacaKey } from "../alpaca-state";
import { ADOPTED_LABEL, alpacaKeys, clockAt, suppliedPair } from "../deploy";
import { ALPACA_KEY, type Lab } from "../lab";
import { during, exposure, type Load, type LoadResult, type Outcome, startLoad } from "../load";
import { poll } from "../poll";
import { roleChanges } from "../role-changes";
import type { PulumiResult, Stack } from "../stack";
import { DEMO_DATABASES, startPlatform } from "./platform";
import { type Phase, timeline } from "./timeline";

/** A rotation or a rollback as the demo observed it. */
export interface Seen {
  readonly secret: string;
  readonly strategy: string;
  readonly from: number;
  readonly to: number;
  /** From the preflight's start to the audit row. */
  readonly seconds: number;
  /** From the first to the last login that failed; 0 if none did. */
  readonly exposureSeconds: number;
  /** New logins, or requests to Alpaca, of the services that read the secret. */
  readonly logins: Outcome;
  /** Unexpected failures: before the role changed or after the last restart, and any with a key pair. */
  readonly outside: number;
  readonly phases: readonly Phase[];
}

/**
 * Logins a second of each service, by how long an update without load takes here: the slower the machine, the fewer make
 * a thousand over a rotation and its rollback, which last more than three such updates.
 */
const loginsOf = (updateSeconds: number) => Math.min(100, 190 / updateSeconds);

/** The least number tried over the rotation and the rollback together, even if the first update was unusually slow. */
const LOGINS = 1000;

/** Requests to Alpaca a second of each service. */
const ALPACA_REQUESTS = 3;

/** Longer than the demo's calendar: a password that was rolled back must not rotate again in the updates after it. */
const RETRY_AFTER = "72h";

/** A platform with a stack on it. */
export class Scenario {
  private firstUpdateSeconds: number | undefined;
  private newKey: AlpacaKey | undefined;
  /** Logins of the services with alternating users, of the updates so far. */
  private loginsSoFar = 0;

  private constructor(
    readonly lab: Lab,
    readonly stack: Stack,
  ) {}

  static async start(tools: Toolchain, store: "vault" | "aws"): Promise<Scenario> {
    const { lab, stack } = await startPlatform(tools, { store, config: { policy: { retryAfter: RETRY_AFTER } } });
    return new Scenario(lab, stack);
  }

  /** `pulumi up`; a failed one ends the demo with what Pulumi printed. */
  async up(): Promise<PulumiResult> {
    const result = await this.stack.pulumi(["up", "--yes", "--skip-preview"]);
    if (result.exitCode !== 0) throw new Error(`pulumi up failed:\n${result.stdout}${result.stderr}`);
    this.firstUpdateSeconds ??= result.seconds;
    return result;
  }

  async preview(): Promise<string> {
    const { exitCode, stdout, stderr } = await this.stack.pulumi(["preview", "--diff"]);
    if (exitCode !== 0) throw new Error(`pulumi preview failed:\n${stdout}${stderr}`);
    return stdout;
  }

  passDays(days: number): Promise<void> {
    return this.stack.configure("lab", clockAt(days));
  }

  request(secret: string, generation: number, reason: string): Promise<void> {
    const id = `demo-${secret}-to-${generation}`;
    return this.stack.configure("request", { id, secret, activate: generation, reason });
  }

  /** What the operator does on the dashboard and with `rotation alpaca add-key`: a new pair as `current`, the one in use as `previous`. */
  async supplyKey(label: string): Promise<void> {
    const { paper } = this.lab.alpaca;
    const [current, previous] = [paper.createKey(), this.lab.adoptedAlpaca];
    this.newKey = current;
    const pairs = alpacaKeys(suppliedPair(label, current), suppliedPair(ADOPTED_LABEL, previous));
    await this.stack.configureSecret("alpacaKeys", pairs);
  }

  /** What the operator does on the dashboard with a pair that is no longer used. */
  deleteNewKey(): void {
    if (this.newKey === undefined) throw new Error("there is no new key");
    this.lab.alpaca.paper.deleteKey(this.newKey.keyId);
  }

  /** An update under load, and the result for each secret that it changed. */
  async watchedUp(secrets: readonly string[]): Promise<Seen[]> {
    const load = await this.startLoad(secrets);
    const startedAt = Date.now();
    try {
      await this.up();
      if (secrets.includes(DEMO_DATABASES[0].secretName)) await this.untilEnough(load);
    } finally {
      await load.stop();
    }
    const outcome = await load.stop();
    this.loginsSoFar += this.alternatingLogins(outcome);
    return Promise.all(secrets.map((secret) => this.seen(secret, outcome, startedAt)));
  }

  /** Every service that reads one of the secrets uses it all the time; an update must have run, to know its duration here. */
  private async startLoad(secrets: readonly string[]): Promise<Load> {
    if (this.firstUpdateSeconds === undefined) throw new Error("no update ran yet");
    const readers = (some: readonly string[]) => [...new Set(some.flatMap((secret) => this.lab.readers(secret)))];
    const passwords = readers(secrets.filter((secret) => secret !== ALPACA_KEY));
    const keys = readers(secrets.filter((secret) => secret === ALPACA_KEY));
    const each = loginsOf(this.firstUpdateSeconds);
    return startLoad(this.lab, {
      services: readers(secrets),
      loginsPerSecond: Math.ceil(each * passwords.length),
      alpacaPerSecond: ALPACA_REQUESTS * keys.length,
    });
  }

  /** After the rollback, whose update may have been too short. */
  private async untilEnough(load: Load): Promise<void> {
    if (this.loginsSoFar === 0) return;
    const enough = async () => this.loginsSoFar + this.alternatingLogins(await load.snapshot()) >= LOGINS;
    await poll(enough, { what: `${LOGINS} logins`, limitMs: 30_000, everyMs: 250 }).catch(() => undefined);
  }

  private alternatingLogins({ logins }: LoadResult): number {
    const [{ secretName }] = DEMO_DATABASES;
    return during(logins, this.lab.readers(secretName), 0, Number.POSITIVE_INFINITY).tried;
  }

  /** The audit log's rows, oldest first, and whether the chain holds. */
  async audit(): Promise<{ rows: Record<string, unknown>[]; verdict: ChainVerdict }> {
    const { rows } = await this.lab.postgres.query("SELECT * FROM secret_rotation_log ORDER BY id");
    return { rows, verdict: await this.lab.postgres.session((client) => verifyChain(client)) };
  }

  private async seen(secret: string, outcome: LoadResult, startedAt: number): Promise<Seen> {
    const attempts = secret === ALPACA_KEY ? outcome.alpaca : outcome.logins;
    const logins = during(attempts, this.lab.readers(secret), startedAt, Date.now());
    const { rows } = await this.lab.postgres.query(
      "SELECT generation, duration_seconds, lag(generation) OVER (ORDER BY id) AS before FROM secret_rotation_log WHERE secret_name = $1 ORDER BY id DESC LIMIT 1",
      [secret],
    );
    const seconds = Number(rows[0]?.duration_seconds);
    const phases = await timeline(this.stack, secret, startedAt, seconds);
    const strategy = DEMO_DATABASES.find(({ secretName }) => secretName === secret)?.strategy ?? "supplied-key";
    const window = await this.window(secret, phases, startedAt);
    return {
      secret,
      strategy,
      from: Number(rows[0]?.before),
      to: Number(rows[0]?.generation),
      seconds,
      exposureSeconds: exposure(logins.failures),
      logins,
      // One that began before the window may have been judged in it.
      outside: logins.failures.filter(({ t, ms }) => t + ms < window.from || t > window.to).length,
      phases,
    };
  }

  /** From the change of the role, by the server's own log, to the last restart's end. */
  private async window(
    secret: string,
    phases: readonly Phase[],
    startedAt: number,
  ): Promise<{ from: number; to: number }> {
    const role = DEMO_DATABASES.find(({ secretName }) => secretName === secret)?.role ?? "";
    const changes = await roleChanges(this.lab, role, startedAt);
    const restarts = phases.filter(({ name }) => name.startsWith("restart")).map(({ doneAt }) => doneAt);
    return { from: Math.min(...changes), to: Math.max(...restarts) };
  }
}
