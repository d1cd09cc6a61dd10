import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { ADOPTED_LABEL, alpacaKeys, clockAt, suppliedPair } from "../../lab/deploy";
import { ALPACA_KEY, type Lab } from "../../lab/lab";
import type { Stack } from "../../lab/stack";
import { type Planted, plant } from "./planted";

const DATABASE = "database/password";

/** A generation of a secret, and what must be said of it. */
interface Generation extends Planted {
  readonly secret: string;
  readonly generation: number;
  readonly part: string;
}

interface LeakSaid {
  readonly secret: string;
  readonly generation: number;
  readonly part: string;
  readonly answer: string;
}

interface Answered {
  readonly leaks: readonly LeakSaid[];
  readonly responses: readonly {
    readonly secret: string;
    readonly generation: number;
    readonly to: number;
    readonly refused: string | null;
    readonly sessionsGone: string | null;
    readonly sessions: string;
    readonly seconds: number;
    readonly row: number;
  }[];
}

/** What a life of leaks showed. */
export interface LeakFigures {
  readonly generations: number;
  readonly lines: number;
  readonly decoys: number;
  /** Verdicts as `secret generation part: answer`, in order. */
  readonly verdicts: readonly string[];
  /** What the response to the value in use said, from finding it to its last session. */
  readonly seconds: number;
  readonly sessions: string;
  /** Whether the leaked value is refused, and its session gone, as seen from outside. */
  readonly refused: boolean;
  readonly sessionGone: boolean;
  /** Rows that the response to a dead generation wrote. */
  readonly rowsForTheDead: number;
  readonly leakRow: Record<string, unknown>;
}

/** A platform whose stack keeps fingerprints. */
export class LeakLife {
  private readonly generations: Generation[] = [];

  constructor(
    private readonly lab: Lab,
    private readonly stack: Stack,
  ) {}

  /** `rotation leaked`. */
  async leaked(args: readonly string[], input?: string): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const command = [
      join(this.stack.projectDir, "dist/cli/rotation.mjs"),
      "leaked",
      ...args,
      "--stack",
      this.stack.name,
    ];
    const { exitCode, stdout, stderr } = await execa(process.execPath, command, {
      cwd: this.stack.projectDir,
      env: this.stack.env,
      reject: false,
      ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    });
    return { exitCode: exitCode ?? -1, stdout, stderr };
  }

  async answered(args: readonly string[], input?: string): Promise<Answered> {
    const { stdout, stderr } = await this.leaked([...args, "--json"], input);
    try {
      return JSON.parse(stdout) as Answered;
    } catch {
      throw new Error(`rotation leaked printed no JSON: ${stdout}${stderr}`);
    }
  }

  /** Adopts and rotates twice; of Alpaca's pairs, if there are some, the first is deleted. */
  async begin(): Promise<void> {
    await this.stack.configureSecret("fingerprintKey", randomBytes(32).toString("base64"));
    this.note({
      secret: DATABASE,
      generation: 0,
      part: "password",
      username: "trader",
      value: this.lab.adopted[DATABASE] ?? "",
    });
    const rotatesKeys = (await this.stack.pulumi(["config", "get", "alpacaKeys"])).exitCode === 0;
    for (const generation of [1, 2, 3]) {
      await this.stack.configure("lab", clockAt((generation - 1) * 89));
      if (rotatesKeys && generation === 2) await this.supplyPair();
      await this.up();
      this.note({ secret: DATABASE, generation, part: "password", ...(await this.inUse()) });
    }
    if (rotatesKeys) this.lab.alpaca.paper.deleteKey(this.lab.adoptedAlpaca.keyId);
  }

  private async supplyPair(): Promise<void> {
    const [current, previous] = [this.lab.alpaca.paper.createKey(), this.lab.adoptedAlpaca];
    const pairs = alpacaKeys(suppliedPair("paper-trading-2027-02-20", current), suppliedPair(ADOPTED_LABEL, previous));
    await this.stack.configureSecret("alpacaKeys", pairs);
    for (const [generation, pair] of [previous, current].entries())
      for (const part of ["keyId", "secretKey"] as const)
        this.note({ secret: ALPACA_KEY, generation, part, username: "alpaca", value: pair[part] });
  }

  private note(generation: Generation): void {
    this.generations.push(generation);
  }

  async up(): Promise<void> {
    const { exitCode, stdout, stderr } = await this.stack.pulumi(["up", "--yes", "--skip-preview"]);
    if (exitCode !== 0) throw new Error(`pulumi up failed: ${stdout}${stderr}`);
  }

  /** The login that services read. */
  async inUse(): Promise<Planted> {
    const [password, username] = await Promise.all([
      this.lab.store.get(DATABASE),
      this.lab.store.get("database/username"),
    ]);
    return { value: password?.value ?? "", username: username?.value ?? "trader" };
  }

  valueOf(generation: number): string {
    return this.generations.find((one) => one.secret === DATABASE && one.generation === generation)?.value ?? "";
  }

  /** Plants everything among decoys and asks whose it is. */
  async verdicts(): Promise<Pick<LeakFigures, "generations" | "lines" | "verdicts">> {
    const { report, lines } = await plant(this.lab.dir, this.generations);
    const { leaks } = await this.answered([report]);
    const verdicts = leaks.map(({ secret, generation, part, answer }) => `${secret} ${generation} ${part}: ${answer}`);
    return { generations: this.generations.length, lines, verdicts };
  }

  private async rows(): Promise<Record<string, unknown>[]> {
    return (await this.lab.postgres.query("SELECT * FROM secret_rotation_log ORDER BY id")).rows;
  }

  /** A generation that is refused: whatever is asked for, nothing happens. @returns the rows it wrote */
  async respondToTheDead(): Promise<number> {
    const before = (await this.rows()).length;
    const { exitCode, stdout, stderr } = await this.leaked(["--respond", "--yes"], this.valueOf(1));
    if (exitCode !== 0) throw new Error(`expected a dead generation to need no answer: ${stdout}${stderr}`);
    return (await this.rows()).length - before;
  }

  /** The value in use leaks, while somebody has a session with it. */
  async respond(): Promise<Pick<LeakFigures, "seconds" | "sessions" | "refused" | "sessionGone" | "leakRow">> {
    const { value, username: user } = await this.inUse();
    const [login, { database }] = [{ user, password: value }, this.lab.postgres];
    return this.lab.postgres.session(
      async (client) => {
        const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        const { responses } = await this.answered(["--respond", "--yes"], value);
        const [response] = responses;
        if (response === undefined) throw new Error("expected a response, found none");
        const seen = await this.lab.postgres.query("SELECT FROM pg_stat_activity WHERE pid = $1", [rows[0]?.pid]);
        const refused = await this.lab.postgres
          .session((other) => other.query("SELECT 1"), { ...login, database })
          .then(
            () => false,
            () => true,
          );
        await this.lab.healthy();
        const { seconds, sessions, row } = response;
        const leakRow = (await this.rows()).find(({ id }) => Number(id) === row) ?? {};
        return { seconds, sessions, refused, sessionGone: seen.rowCount === 0, leakRow };
      },
      { ...login, database },
    );
  }
}
