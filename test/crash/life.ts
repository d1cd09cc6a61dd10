import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../lab/deploy";
import { ALPACA_KEY } from "../../lab/lab";
import { storeReader } from "../../lab/services/store";
import { activeGeneration, other, previousGeneration, type SecretState } from "../../rotation/state";
import { auditRows, login, setDay, stateOf } from "../e2e/harness";
import { startWorld, stateInBucket, type World } from "./world";

export const STRATEGIES = ["alternating-users", "single-user", "alpaca-key"] as const;
export type Strategy = (typeof STRATEGIES)[number];
/** "return" is the rollback to the generation in use, after a rotation that died. */
export type Operation = "adoption" | "rotation" | "rollback" | "revoke" | "return";

/** What one operation must have come to, however often its run was killed. */
export interface Expected {
  readonly active: number;
  readonly row: readonly [action: string, generation: number];
}

type Pair = ReturnType<typeof suppliedPair>;

/** A secret on a platform of its own, brought through its operations one after the other. */
export class Life {
  private day = 0;
  private requests = 0;
  private readonly pairs = new Map<string, Pair>();

  private constructor(
    readonly world: World,
    readonly strategy: Strategy,
    private readonly bucket: boolean,
  ) {}

  /** A platform and a stack that has not adopted it yet. */
  static async begin(strategy: Strategy, store: "vault" | "aws", bucket: boolean): Promise<Life> {
    const rotates = strategy === "alpaca-key" ? "alpaca" : "passwords";
    const strategies = strategy === "alpaca-key" ? {} : { strategies: { "database/password": strategy } };
    return new Life(await startWorld({ store, stateInBucket: bucket, rotates, ...strategies }), strategy, bucket);
  }

  get secret(): string {
    return this.strategy === "alpaca-key" ? ALPACA_KEY : "database/password";
  }

  /** The services that read the secret. */
  get readers(): string[] {
    return this.world.lab.readers(this.secret);
  }

  /** Brings about what makes the next update carry out the operation, and says what that must come to. */
  async prepare(operation: Operation): Promise<Expected> {
    if (operation === "adoption") {
      if (this.strategy === "alpaca-key") await this.supply(this.adopted);
      return { active: 1, row: ["ADOPT", 1] };
    }
    const state = await this.state();
    if (state === undefined) throw new Error(`a ${operation} before the adoption`);
    const [active, previous] = [activeGeneration(state), Number(previousGeneration(state))];
    switch (operation) {
      case "rotation": {
        const next = Math.max(...state.slots) + 1;
        await this.passDays(89);
        if (this.strategy === "alpaca-key") await this.supply(this.pair(String(state.labels[state.active])));
        return { active: next, row: ["ROTATE", next] };
      }
      case "rollback":
        return this.ask(previous);
      case "return":
        return this.ask(active);
      case "revoke": {
        await this.passDays(1.5);
        if (this.strategy === "alpaca-key") {
          const { keyId } = this.pair(String(state.labels[other(state.active)]));
          this.world.lab.alpaca.paper.deleteKey(keyId);
        }
        return { active, row: ["REVOKE", previous] };
      }
    }
  }

  /** The secret's state in the stack's outputs. */
  async state(): Promise<SecretState | undefined> {
    if (!this.bucket) return stateOf(this.world, this.secret);
    const text = await stateInBucket(this.world);
    const resources = (JSON.parse(text) as Stored).checkpoint?.latest?.resources ?? [];
    const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
    return outputs?.secrets?.[this.secret]?.state;
  }

  /** Action, generation and status of every row of the log, oldest first. */
  async rows(): Promise<[string, number, string][]> {
    const { rows } = await this.world.lab.postgres.query("SELECT to_regclass('secret_rotation_log') AS log");
    if (rows[0].log === null) return [];
    return (await auditRows(this.world)).map(({ action, generation, status }) => [
      String(action),
      Number(generation),
      String(status),
    ]);
  }

  /** What the store holds now, and whether it works; a pair of which one half is written says so. */
  async stored(): Promise<{ value: string; works: boolean | "half written"; version: unknown }> {
    const { lab } = this.world;
    if (this.strategy === "alpaca-key") {
      const id = await this.get("alpaca/api_key_id");
      const found = await lab.store.get("alpaca/api_secret_key");
      const secret = found?.value;
      const whole = [...this.pairs.values(), this.adopted].some(
        ({ keyId, secretKey }) => keyId === id && secretKey === secret,
      );
      const works = lab.alpaca.paper.authenticate(String(id), String(secret)) !== undefined;
      return { value: `${id} ${secret}`, works: whole ? works : "half written", version: found?.version };
    }
    const found = await lab.store.get("database/password");
    const password = String(found?.value);
    const user = (await this.get("database/username")) ?? "trader";
    const works = (await login(this.world, user, password)) === "ok";
    const state = works || ((await this.isHalfWritten()) ? "half written" : false);
    return { value: `${user} ${password}`, works: state, version: found?.version };
  }

  /** With alternating users name and password carry the same mark; while they differ, readers wait. */
  private async isHalfWritten(): Promise<boolean> {
    const reader = storeReader(this.world.lab.service(String(this.readers[0])).config.store);
    const paths = ["database/username", "database/password"].map((path) => `${this.world.lab.environment}/${path}`);
    const [name, password] = await Promise.all(paths.map((path) => reader.read(path)));
    return name?.generation !== password?.generation;
  }

  private async get(path: string): Promise<string | undefined> {
    return (await this.world.lab.store.get(path))?.value;
  }

  private async ask(activate: number): Promise<Expected> {
    this.requests += 1;
    const request = { id: `back-${this.requests}`, secret: this.secret, activate, reason: "a test" };
    await this.world.stack.configure("request", request);
    return { active: activate, row: ["ROLLBACK", activate] };
  }

  private async passDays(days: number): Promise<void> {
    this.day += days;
    await setDay(this.world, this.day);
  }

  private get adopted(): Pair {
    return suppliedPair(ADOPTED_LABEL, this.world.lab.adoptedAlpaca);
  }

  /** The pair with that label. */
  private pair(label: string): Pair {
    const found = label === ADOPTED_LABEL ? this.adopted : this.pairs.get(label);
    if (found === undefined) throw new Error(`no pair ${label}`);
    return found;
  }

  /** What the operator does on the dashboard and with `rotation alpaca add-key`. */
  private async supply(previous: Pair): Promise<void> {
    const label = `paper-${this.pairs.size + 1}-2026-12-01`;
    const pair = suppliedPair(label, this.world.lab.alpaca.paper.createKey());
    this.pairs.set(label, pair);
    await this.world.stack.configureSecret("alpacaKeys", alpacaKeys(pair, previous));
  }
}

interface Stored {
  readonly checkpoint?: {
    readonly latest?: {
      readonly resources?: readonly {
        readonly type: string;
        readonly outputs?: { secrets?: Record<string, { state?: SecretState }> };
      }[];
    };
  };
}
