import { readdir, readFile } from "node:fs/promises";
import { expect } from "vitest";
import { openProject } from "../../cli/operate/project";
import { fixTornFiles } from "../../cli/operate/torn-files";
import { poll } from "../../dev/lab/poll";
import type { PulumiResult } from "../../dev/lab/stack";
import { type Bench, refusedUp, stateOf, UNCHANGED, up } from "./harness";
import { verifiers } from "./role-support";

/** Something that an update does and that can be seen from outside. */
export interface Effect {
  readonly name: string;
  /** Looks at how things are before the update; the answer says whether the effect has come since. */
  watch(bench: Bench): Promise<() => Promise<boolean>>;
}

/** The effects of a rotation, in their order. */
export const EFFECTS = {
  /** PostgreSQL holds a new verifier. */
  passwordSet: {
    name: "the password is set",
    watch: async (bench) => {
      const before = JSON.stringify(await verifiers(bench));
      return async () => JSON.stringify(await verifiers(bench)) !== before;
    },
  },
  /** The store has a new version of the password. */
  stored: {
    name: "the store has the new version",
    watch: async ({ lab }) => {
      const path = `${lab.environment}/database/password`;
      const version = async () => (await lab.openbao.getSecret(path))?.version;
      const before = await version();
      return async () => (await version()) !== before;
    },
  },
  /** `systemctl restart` was asked for once. */
  restarted: {
    name: "the first service is restarted",
    watch: async ({ lab }) => {
      const restarts = () => lab.hosts.reduce((sum, host) => sum + host.restarts.length, 0);
      const before = restarts();
      return async () => restarts() > before;
    },
  },
  /** `secret_rotation_log` has one more row. */
  audited: {
    name: "the audit row is written",
    watch: async ({ lab }) => {
      const rows = async () => {
        const log = await lab.postgres.query("SELECT to_regclass('secret_rotation_log') AS log");
        if (log.rows[0].log === null) return 0;
        return Number((await lab.postgres.query("SELECT count(*) FROM secret_rotation_log")).rows[0].count);
      };
      const before = await rows();
      return async () => (await rows()) > before;
    },
  },
} as const satisfies Record<string, Effect>;

/**
 * A command of which nothing is left alive as soon as the effect shows: first the process itself dies, then its orphans.
 * Looks a hundred times a second, so by one session: a login for each look would take half a core.
 */
export function killed<T>(
  bench: Bench,
  effect: Effect,
  start: (onStart: (pid: number) => void) => Promise<T>,
): Promise<T> {
  const { lab } = bench;
  return lab.postgres.session(async (client) => {
    const postgres = { ...lab.postgres, query: (sql: string) => client.query(sql) };
    const happened = await effect.watch({ ...bench, lab: { ...lab, postgres } });
    let [pid, ended]: [number | undefined, boolean] = [undefined, false];
    const run = start((started) => (pid = started));
    void run.finally(() => (ended = true));
    await poll(async () => ended || happened(), { what: effect.name, limitMs: 200_000, everyMs: 10 });
    if (ended || pid === undefined) throw new Error(`it ended before it could be killed: ${JSON.stringify(await run)}`);
    process.kill(pid, "SIGKILL");
    await endOrphans(bench);
    return run;
  });
}

/** `pulumi up`, killed as soon as the effect shows. */
export const killedUp = (bench: Bench, effect: Effect): Promise<PulumiResult> =>
  killed(bench, effect, (onStart) => bench.stack.pulumi(["up", "--yes", "--skip-preview"], { onStart }));

/** Ends every process that runs for this stack; a killed CLI leaves its plugins and the program behind. */
export async function endOrphans({ stack }: Bench): Promise<number> {
  let ended = 0;
  await poll(
    async () => {
      const alive = await processesWith(`PULUMI_HOME=${stack.env.PULUMI_HOME}`);
      for (const pid of alive) kill(pid);
      ended += alive.length;
      return alive.length === 0;
    },
    { what: "the end of every orphan", limitMs: 60_000 },
  );
  return ended;
}

/** The processes with this entry in their environment. */
async function processesWith(entry: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").includes(entry) ? [pid] : [];
    }),
  );
  return found.flat();
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}

/**
 * A kill between two system calls leaves a file beside the state half written, and every later command says only `EOF`
 * (`crash-torn-state.test.ts` has that on purpose); what `rotation diagnose --fix` does about it.
 */
export function mendTornState({ stack }: Bench): string[] {
  return fixTornFiles(openProject(stack.projectDir, stack.name, stack.env));
}

/** A killed update keeps its lock: the next one is refused and says how to go on, and `pulumi cancel` is that way. */
export async function unlock(bench: Bench): Promise<void> {
  mendTornState(bench);
  expect(await refusedUp(bench)).toMatch(/currently locked by 1 lock.*`pulumi cancel`/s);
  const cancelled = await bench.stack.pulumi(["cancel", "--yes"]);
  expect(cancelled.exitCode, cancelled.stderr).toBe(0);
}

/**
 * One rotation, killed after each effect in turn and finished at last, in which the password is made once.
 * Resolves with what the last, finishing update printed.
 */
export async function rotateKilledEachTime(bench: Bench): Promise<string> {
  const outputs = JSON.stringify(await stateOf(bench));
  let made: Record<string, string | null> | undefined;
  for (const effect of Object.values(EFFECTS)) {
    await killedUp(bench, effect);
    expect(JSON.stringify(await stateOf(bench)), effect.name).toBe(outputs);
    made ??= await verifiers(bench);
    expect(await verifiers(bench), effect.name).toEqual(made);
    await unlock(bench);
  }
  const { stdout } = await up(bench);
  expect(await verifiers(bench)).toEqual(made);
  return stdout;
}

/** An update that changes nothing: of what was interrupted nothing is left to be looked into, since steps run in place. */
export async function expectSettled(bench: Bench): Promise<void> {
  const again = await up(bench);
  expect(again.stdout).toMatch(UNCHANGED);
  expect(again.stdout).not.toContain("pending operations");
}
