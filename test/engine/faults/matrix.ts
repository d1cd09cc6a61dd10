import { execFile } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { auditRows, type BenchOptions, login, refusedUp, setDay, stateOf, stored, up } from "../harness";
import { expectReadable, platformOf } from "../input-support";
import { startWorld, type World } from "./world";

/** How far an update came: all else must be as it was. */
export interface Reached {
  /** A role has another password or may log in now. */
  readonly role?: true;
  /** The store has a new version. */
  readonly stored?: true;
  /** So many services were restarted. */
  readonly restarts?: number;
}

/** Something that fails while a rotation is due. */
export interface FaultCase {
  /** In the default suite too; all the others by `npm run test:faults`. */
  readonly sample?: true;
  /** Lets it fail, now or at a moment of the update; what it returns fixes it. */
  readonly breaks: (world: World) => Promise<() => Promise<unknown>>;
  /** What must be said. */
  readonly says: readonly (string | RegExp)[];
  readonly reached: Reached;
  /** By `rotation run`, which says what holds and what to run next also where a provider's words are all there is. */
  readonly by?: "rotation";
}

const ALL = process.env.FAULTS === "all";

/**
 * One rotation after the other on one lab, each with a fault: it must say what must be said, change no more than it may,
 * and, once the fault is fixed, end by a plain `pulumi up` with the same generation and one row. `more` declares further
 * tests on the same lab, which `npm run test:faults` runs.
 */
export function faultMatrix(
  system: string,
  cases: Readonly<Record<string, FaultCase>>,
  { more, ...options }: BenchOptions & { readonly more?: (world: () => World) => void } = {},
): void {
  let world: World | undefined;
  const here = () => {
    if (world === undefined) throw new Error("the lab did not start");
    return world;
  };
  const chosen = Object.entries(cases).filter(([, { sample }]) => ALL || sample);
  describe(`${system}: faults in the middle of a rotation`, () => {
    beforeAll(async () => {
      world = await startWorld(options);
      await up(world);
    });
    afterAll(async () => {
      await world?.stop();
    });
    it.each(chosen)("%s", async (name, fault) => {
      const begun = performance.now();
      await meets(here(), fault);
      const line = { system, name, seconds: (performance.now() - begun) / 1000 };
      await appendFile(inject("faultReport"), `${JSON.stringify(line)}\n`);
    });
    if (ALL) more?.(here);
  });
}

/** The day of the next rotation by age. */
export async function nextDue(world: World): Promise<number> {
  const state = await stateOf(world);
  const day = 90 * Math.max(1, state?.slots[state.active] ?? 0);
  await setDay(world, day);
  return day;
}

async function meets(world: World, fault: FaultCase): Promise<void> {
  await nextDue(world);
  const before = await platformOf(world);
  const [rows, generation] = [(await finishedRows(world)).length, await activeGeneration(world)];
  const mend = await fault.breaks(world);
  let message: string;
  try {
    message = fault.by === "rotation" ? await refusedRun(world) : await refusedUp(world);
  } finally {
    await mend();
  }
  if (process.env.SHOW) console.log(message);
  for (const text of fault.says) expect(message).toMatch(typeof text === "string" ? escaped(text) : text);
  expectReadable(message);
  const { rows: _, ...after } = await platformOf(world);
  expect(differences(before, after)).toEqual({ ...fault.reached });
  expect(after.state).toEqual(before.state);
  expect(await finishedRows(world)).toHaveLength(rows);

  await world.lab.healthy();
  await up(world);
  expect(await activeGeneration(world)).toBe(generation + 1);
  expect((await finishedRows(world)).slice(rows)).toEqual([`ROTATE ${generation + 1}`]);
  // A service whose restart failed is restarted again; those before it are not.
  const restarts = (world.lab.hosts[0]?.restarts ?? []).map(({ service }) => service);
  const order = restarts.filter((service, index) => service !== restarts[index - 1]);
  expect(order.slice(-2)).toEqual(world.lab.readers("database/password"));
  const [user, password] = await Promise.all([stored(world, "database/username"), stored(world, "database/password")]);
  expect(await login(world, user.value, password.value)).toBe("ok");
}

/** What a rotation may change, as {@link Reached} names it. */
function differences(before: Record<string, unknown>, after: Record<string, unknown>): Reached {
  const differs = (key: string) => JSON.stringify(before[key]) !== JSON.stringify(after[key]);
  const restarts = sum(after.restarts) - sum(before.restarts);
  return {
    ...(differs("roles") ? { role: true as const } : {}),
    ...(differs("password") ? { stored: true as const } : {}),
    ...(restarts > 0 ? { restarts } : {}),
  };
}

const sum = (counts: unknown) => (counts as number[]).reduce((total, count) => total + count, 0);

/** `rotation run`, which must fail; returns all that it printed. */
async function refusedRun({ stack, variables }: World): Promise<string> {
  const cli = join(projectRoot(), "dist/cli/rotation.mjs");
  const env = { ...stack.env, ...variables, NO_COLOR: "1" };
  const run = promisify(execFile)(process.execPath, [cli, "run", "--yes", "--stack", stack.name], {
    cwd: stack.projectDir,
    env,
  });
  const { code, stdout, stderr } = await run.then(
    (done) => ({ code: 0, ...done }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  expect(code, stdout + stderr).toBe(1);
  return stdout + stderr;
}

async function activeGeneration(world: World): Promise<number> {
  const state = await stateOf(world);
  return state === undefined ? -1 : Number(state.slots[state.active]);
}

/** Action and generation of every row of a step that is done. */
async function finishedRows(world: World): Promise<string[]> {
  const rows = await auditRows(world);
  return rows.filter(({ status }) => status === "SUCCESS").map(({ action, generation }) => `${action} ${generation}`);
}

const escaped = (text: string) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
