import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import type { Lab } from "../../lab/lab";
import type { Stack } from "../../lab/stack";
import { type Planted, plant } from "./planted";

export const DATABASE = "database/password";

/** How a platform's credentials come to be. */
export interface Origin {
  /** Makes a few generations, and notes each. */
  begin(life: LeakLife): Promise<void>;
  /** The login that a reader has now. */
  inUse(life: LeakLife): Promise<Planted>;
  /** What is found of a login that leaks. */
  text(login: Planted): string;
}

/** A generation of a secret, and what must be said of it. */
interface Generation extends Planted {
  readonly secret: string;
  readonly generation: number;
  readonly part: string;
}

interface LeakSaid {
  readonly secret: string;
  readonly generation: number | null;
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
    readonly next?: string;
    readonly row: number;
  }[];
  readonly unanswered?: readonly { readonly secret: string; readonly failure: string; readonly next?: string }[];
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
    readonly lab: Lab,
    readonly stack: Stack,
    private readonly origin: Origin,
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

  /** Makes generations, with fingerprints of each. */
  async begin(): Promise<void> {
    await this.stack.configureSecret("fingerprintKey", randomBytes(32).toString("base64"));
    await this.origin.begin(this);
  }

  note(generation: Generation): void {
    this.generations.push(generation);
  }

  /** Notes the login that a reader has now. */
  async noteInUse(generation: number, part = "password"): Promise<void> {
    this.note({ secret: DATABASE, generation, part, ...(await this.origin.inUse(this)) });
  }

  async up(): Promise<void> {
    const { exitCode, stdout, stderr } = await this.stack.pulumi(["up", "--yes", "--skip-preview"]);
    if (exitCode !== 0) throw new Error(`pulumi up failed: ${stdout}${stderr}`);
  }

  /** What is found if a generation of the database's login leaks. */
  textOf(generation: number): string {
    const found = this.generations.find((one) => one.secret === DATABASE && one.generation === generation);
    if (found === undefined) throw new Error(`no generation ${generation} was noted`);
    return this.origin.text(found);
  }

  /** Plants everything among decoys and asks whose it is. */
  async verdicts(): Promise<Pick<LeakFigures, "generations" | "lines" | "verdicts">> {
    const { report, lines } = await plant(this.lab.dir, this.generations);
    const { leaks } = await this.answered([report]);
    const verdicts = leaks.map(({ secret, generation, part, answer }) => `${secret} ${generation} ${part}: ${answer}`);
    return { generations: this.generations.length, lines, verdicts };
  }

  async rows(): Promise<Record<string, unknown>[]> {
    return (await this.lab.postgres.query("SELECT * FROM secret_rotation_log ORDER BY id")).rows;
  }

  /** A generation that is refused: whatever is asked for, nothing happens. @returns the rows it wrote */
  async respondToTheDead(): Promise<number> {
    const before = (await this.rows()).length;
    const { exitCode, stdout, stderr } = await this.leaked(["--respond", "--yes"], this.textOf(1));
    if (exitCode !== 0) throw new Error(`expected a dead generation to need no answer: ${stdout}${stderr}`);
    return (await this.rows()).length - before;
  }

  /** The value in use leaks, while somebody has a session with it. */
  async respond(): Promise<Pick<LeakFigures, "seconds" | "sessions" | "refused" | "sessionGone" | "leakRow">> {
    const inUse = await this.origin.inUse(this);
    const [login, { database }] = [{ user: inUse.username, password: inUse.value }, this.lab.postgres];
    return this.lab.postgres.session(
      async (client) => {
        const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        const answer = await this.answered(["--respond", "--yes"], this.origin.text(inUse));
        const [response] = answer.responses;
        if (response === undefined) throw new Error(`expected a response, found ${JSON.stringify(answer)}`);
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
