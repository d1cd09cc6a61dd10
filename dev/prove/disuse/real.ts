import { join } from "node:path";
import { execa } from "execa";
import pg from "pg";
import { whatIsDue } from "../../../cli/operate/due";
import { openProject, type Project } from "../../../cli/operate/project";
import { watchOnce } from "../../../cli/operate/watch";
import { LAB_START } from "../../lab/deploy";
import type { Lab } from "../../lab/lab";
import { PIPELINE } from "../../lab/pipeline-login";
import { deploySql } from "../../lab/policies";
import type { Stack } from "../../lab/stack";
import { randomOf } from "./simulate";

const SECRET = "database/password";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The policy of the real rotations, shorter than in use so that a life has 131 looks. */
export const REAL_POLICY = { gracePeriod: "2h", gracePeriodMax: "26h", quietPeriod: "8h" };
const GRACE = 2 * HOUR;
const LIMIT = 26 * HOUR;
const STEP = 12 * MINUTE;

interface Login {
  readonly user: string;
  readonly password: string;
}

/** A hidden consumer: what it does at a time, and until when. */
interface Consumer {
  readonly kind: (typeof KINDS)[number];
  readonly period: number;
  readonly offset: number;
  readonly moved: number;
}

const KINDS = ["job every 6 hours", "short job", "stuck pool", "mapping"] as const;

/** What a real rotation showed. */
export interface RealRotation {
  readonly consumers: readonly string[];
  readonly logins: number;
  readonly failed: number;
  /** Logins with the login beside, which ends when the grace period does. */
  readonly failedByTime: number;
  readonly early: boolean;
  /** How long after the rotation the old login ended. */
  readonly ended: number;
  readonly evidence: unknown;
}

/** Rotations of a real stack whose previous login is used by clients that its config does not name. */
export class RealLife {
  private now = LAB_START.getTime();

  private constructor(
    private readonly lab: Lab,
    private readonly stack: Stack,
    private readonly project: Project,
  ) {}

  static async begin(lab: Lab, stack: Stack): Promise<RealLife> {
    Object.assign(process.env, stack.env);
    const { postgres } = lab;
    for (const [name, value] of Object.entries(SETTINGS)) await postgres.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    await postgres.restart();
    await postgres.query(deploySql("login-log", { pipeline: PIPELINE }));
    await postgres.query("CREATE EXTENSION postgres_fdw");
    await postgres.query(
      `CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${postgres.host}', port '${postgres.port}', dbname '${postgres.database}')`,
    );
    await postgres.query(
      "CREATE FOREIGN TABLE over_the_mapping (datname name) SERVER itself OPTIONS (schema_name 'pg_catalog', table_name 'pg_database')",
    );
    await lab.healthy();
    const life = new RealLife(lab, stack, await openProject(stack.projectDir, stack.name, process.env));
    await stack.configure("policy", REAL_POLICY);
    await life.at(0);
    await life.rotation(["run", "--yes"]);
    return life;
  }

  /** Sets the lab's clock, counted from its start. */
  private async at(time: number): Promise<void> {
    this.now = LAB_START.getTime() + time;
    await this.stack.configure("lab", { clock: new Date(this.now).toISOString() });
  }

  private async rotation(args: readonly string[]): Promise<string> {
    const command = [join(this.stack.projectDir, "dist/cli/rotation.mjs"), ...args, "--stack", this.stack.name];
    const { exitCode, stdout, stderr } = await execa(process.execPath, command, {
      cwd: this.stack.projectDir,
      env: this.stack.env,
      reject: false,
      stdin: "ignore",
    });
    if (exitCode !== 0) throw new Error(`rotation ${args.join(" ")} ended with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  }

  /** One rotation, and everything that happens to the old login until the limit is past. */
  async rotate(round: number): Promise<RealRotation> {
    const random = randomOf(round);
    const began = (round + 1) * 3 * DAY;
    const [old, beside] = [await this.inUse(), await this.loginBeside(round)];
    const consumers = consumersOf(random);
    const outage = random() < 0.4 ? { from: GRACE + random() * 10 * HOUR, lasts: 2 * HOUR } : { from: -1, lasts: 0 };
    const pools = new Map<Consumer, pg.Client>();
    const seen = { logins: 0, failed: 0, failedByTime: 0 };
    for (const one of consumers) if (one.kind === "stuck pool") pools.set(one, await this.connect(old, one.kind));
    await this.at(began);
    await this.rotation(["run", SECRET, "--yes", "--reason", "a proof"]);
    if (consumers.some(({ kind }) => kind === "mapping")) await this.map(old);

    let ended = Number.POSITIVE_INFINITY;
    for (let at = 0; at < LIMIT + HOUR + STEP; at += STEP) {
      await this.at(began + at);
      if (at === GRACE) await this.lab.postgres.query(`ALTER ROLE ${beside.user} NOLOGIN`);
      const open: pg.Client[] = [];
      for (const one of consumers) {
        if (at >= one.moved) {
          await pools.get(one)?.end();
          pools.delete(one);
          continue;
        }
        if (at >= LIMIT || at % one.period !== one.offset) continue;
        seen.logins++;
        if (!(await this.logsIn(one, old, pools, open))) seen.failed++;
        if (!(await this.works(beside))) seen.failedByTime++;
      }
      // A job is open while somebody looks; a pool always; a short job and a mapping are gone.
      const watches = ended === Number.POSITIVE_INFINITY && !(at >= outage.from && at < outage.from + outage.lasts);
      if (watches) await this.look();
      if (at % HOUR === 0 && ended === Number.POSITIVE_INFINITY && (await this.isDue())) {
        await this.rotation(["run", "--if-due", "--yes"]);
        ended = at;
      }
      await Promise.all(open.map((client) => client.end()));
    }
    await Promise.all([...pools.values()].map((client) => client.end().catch(() => undefined)));
    await this.unmap();
    if (await this.works(old)) throw new Error(`round ${round}: the old login works after the limit`);
    const { rows } = await this.lab.postgres.query(
      "SELECT action, outputs FROM secret_rotation_log ORDER BY id DESC LIMIT 1",
    );
    if (rows[0]?.action !== "REVOKE")
      throw new Error(`round ${round}: expected a row REVOKE, found ${rows[0]?.action}`);
    const evidence = (rows[0].outputs as { disuse?: unknown }).disuse;
    return { consumers: consumers.map(({ kind }) => kind), ...seen, early: ended < LIMIT, ended, evidence };
  }

  private async look(): Promise<void> {
    const [looked] = await watchOnce(this.project);
    if (looked?.error !== undefined) throw new Error(`rotation watch: ${looked.error}`);
  }

  private isDue = async () => (await whatIsDue(this.project, [SECRET])).due.length > 0;

  private async inUse(): Promise<Login> {
    const [password, user] = await Promise.all([this.lab.store.get(SECRET), this.lab.store.get("database/username")]);
    return { user: user?.value ?? "trader", password: password?.value ?? "" };
  }

  /** What a system has that ends the old credential after a fixed time. */
  private async loginBeside(round: number): Promise<Login> {
    const login = { user: `beside_${round}`, password: `beside-${round}` };
    await this.lab.postgres.query(`CREATE ROLE ${login.user} LOGIN PASSWORD '${login.password}'`);
    await this.lab.postgres.query(`GRANT CONNECT ON DATABASE ${this.lab.postgres.database} TO ${login.user}`);
    return login;
  }

  private async connect(login: Login, application_name: string): Promise<pg.Client> {
    const { host, port, database } = this.lab.postgres;
    const client = new pg.Client({ host, port, database, ...login, application_name });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  private works = (login: Login) =>
    this.connect(login, "beside").then(
      async (client) => {
        await client.end();
        return true;
      },
      () => false,
    );

  /** A login of a consumer with the old credential. */
  private async logsIn(
    one: Consumer,
    old: Login,
    pools: Map<Consumer, pg.Client>,
    open: pg.Client[],
  ): Promise<boolean> {
    try {
      if (one.kind === "mapping") {
        await this.lab.postgres.query("SELECT count(*) FROM over_the_mapping");
        return true;
      }
      const client = await this.connect(old, one.kind);
      if (one.kind === "short job") await client.end();
      if (one.kind === "job every 6 hours") open.push(client);
      if (one.kind === "stuck pool") {
        await pools.get(one)?.end();
        pools.set(one, client);
      }
      return true;
    } catch {
      return false;
    }
  }

  private async map({ user, password }: Login): Promise<void> {
    await this.lab.postgres.query(
      `CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user ${pg.escapeLiteral(user)}, password ${pg.escapeLiteral(password)})`,
    );
  }

  private unmap = () => this.lab.postgres.query("DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER itself");
}

const SETTINGS = { logging_collector: "on", log_destination: "jsonlog", log_statement: "none", log_connections: "on" };

/** One to three of them, with pauses shorter than `policy.quietPeriod`; some are never moved to the new login. */
function consumersOf(random: () => number): Consumer[] {
  const steps = (least: number, most: number) => STEP * Math.floor((least + random() * (most - least)) / STEP);
  return Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => {
    const kind = KINDS[Math.floor(random() * KINDS.length)] ?? KINDS[index % KINDS.length] ?? "short job";
    const period = kind.endsWith("job") || kind.startsWith("job") ? 6 * HOUR : steps(3 * HOUR, 7 * HOUR);
    const moved = random() < 0.35 ? Number.POSITIVE_INFINITY : steps(HOUR, 14 * HOUR);
    return { kind, period, offset: steps(0, period), moved };
  });
}
