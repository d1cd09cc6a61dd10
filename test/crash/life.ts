import { activeGeneration, other, previousGeneration, type SecretState } from "../../core/state";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { OpenBaoError } from "../../dev/lab/openbao";
import { storeReader } from "../../dev/lab/services/store";
import type { Health } from "../../dev/lab/services/types";
import { auditRows, login, setDay, stateOf } from "../engine/harness";
import { databaseOfVault, LEASED, leaseOf } from "../engine/vault-support";
import { startWorld, stateInBucket, type World, type WorldOptions } from "./world";

export const STRATEGIES = ["alternating-users", "single-user", "alpaca-key", "vault-static", "vault-dynamic"] as const;
export type Strategy = (typeof STRATEGIES)[number];
/**
 * "return" is the rollback to the generation in use, after a rotation that died. "forced" is a rotation on request; any
 * other comes by its age, or by Vault's own rotation.
 */
export type Operation = "adoption" | "rotation" | "forced" | "rollback" | "revoke" | "return";

/** Where the services get what Vault's database engine makes. */
const CREDS = "database/static-creds/trader";

/** What a lab has beyond its own, by the strategy. Of what Vault rotates, the calendar is Vault's. */
const WORLDS: Readonly<Record<Strategy, Omit<WorldOptions, "store" | "stateInBucket">>> = {
  "alternating-users": {},
  "single-user": {},
  "alpaca-key": { rotates: "alpaca" },
  "vault-static": {
    adopt: false,
    has: { databases: [databaseOfVault({ login: "vault_admin", creds: CREDS })] },
    config: { lab: {} },
  },
  "vault-dynamic": {
    adopt: false,
    has: { databases: [databaseOfVault({ login: "vault_trader" })], services: LEASED },
    // Long enough for a service that waits for a processor.
    leases: { defaultTtl: "60s", maxTtl: "120s" },
  },
};

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
    const strategies = strategy === "alpaca-key" ? {} : { strategies: { "database/password": strategy } };
    const world = await startWorld({ store, stateInBucket: bucket, ...WORLDS[strategy], ...strategies });
    return new Life(world, strategy, bucket);
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
      case "forced":
      case "rotation": {
        const next = Math.max(...state.slots) + 1;
        if (operation === "forced") await this.request({ rotate: true });
        else if (this.strategy === "vault-static") await this.vault("POST", "database/rotate-role/trader", {});
        else await this.passDays(89);
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
    const issued = await this.issued();
    if (issued !== undefined) {
      const { username, password, last_vault_rotation: version } = issued;
      const works = (await login(this.world, username, password)) === "ok";
      // Each answer has another login where they are short-lived.
      return { value: this.strategy === "vault-dynamic" ? "issued" : `${username} ${password}`, works, version };
    }
    const found = await lab.store.get("database/password");
    const password = String(found?.value);
    const user = (await this.get("database/username")) ?? "trader";
    const works = (await login(this.world, user, password)) === "ok";
    const state = works || ((await this.isHalfWritten()) ? "half written" : false);
    return { value: `${user} ${password}`, works: state, version: found?.version };
  }

  /** What Vault's database engine hands out; undefined where it does not yet. */
  private async issued(): Promise<Issued | undefined> {
    if (this.strategy !== "vault-static" && this.strategy !== "vault-dynamic") return undefined;
    const path = this.strategy === "vault-static" ? CREDS : leaseOf(String(this.readers[0])).path;
    try {
      return (await this.vault("GET", path)).data as Issued;
    } catch (error) {
      if (error instanceof OpenBaoError && [400, 404].includes(error.status)) return undefined;
      throw error;
    }
  }

  private vault(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    return this.world.lab.openbao.request(method, path, body);
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
    await this.request({ activate });
    return { active: activate, row: ["ROLLBACK", activate] };
  }

  private async request(what: { readonly activate: number } | { readonly rotate: true }): Promise<void> {
    this.requests += 1;
    const request = { id: `asked-${this.requests}`, secret: this.secret, reason: "a test", ...what };
    await this.world.stack.configure("request", request);
  }

  private async passDays(days: number): Promise<void> {
    this.day += days;
    await setDay(this.world, this.day);
  }

  /** Whether what the service holds is what it gets now. */
  holds({ database, alpaca }: Health, version: unknown): boolean {
    if (this.strategy === "vault-dynamic") return database?.lease !== undefined;
    return (this.strategy === "alpaca-key" ? alpaca?.version : database?.version) === version;
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

/** A login that Vault's database engine made. */
interface Issued {
  readonly username: string;
  readonly password: string;
  readonly last_vault_rotation?: string;
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
