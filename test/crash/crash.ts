import { existsSync } from "node:fs";
import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { verifyChain } from "../../audit/verify";
import { openProject } from "../../cli/operate/project";
import { fixTornFiles } from "../../cli/operate/torn-files";
import { projectRoot } from "../../cli/toolchain/project";
import { activeGeneration } from "../../core/state";
import { type LoadResult, startLoad } from "../../dev/lab/load";
import { poll } from "../../dev/lab/poll";
import type { EffectRef, Held } from "./gate";
import type { Expected, Life, Operation } from "./life";
import { killVictim, outlived, type Victim } from "./victims";

/** How a run that died is finished: by hand with Pulumi alone, or with the command that fixes what it finds. */
export const RECOVERIES = ["pulumi up", "rotation run"] as const;
export type Recovery = (typeof RECOVERIES)[number];

/** One crash: at which effect of which operation, on which side of it, and who dies. */
export interface Point extends Held {
  readonly operation: Operation;
  readonly victim: Victim;
  readonly recovery: Recovery;
  /** What is asked for instead of the operation that died; by default it is finished. */
  readonly instead?: "rollback" | "return";
}

/** What became of a point. */
export interface Outcome extends Point {
  /** What was not as it must be; empty where all was. */
  readonly problems: readonly string[];
  /** What the store held while the run was dead. */
  readonly between: "works" | "half written" | "refused";
  readonly attempts: { readonly tried: number; readonly failed: number; readonly excused: number };
  readonly rows: { readonly expected: number; readonly found: number };
  readonly seconds: number;
}

const UP = ["up", "--yes", "--skip-preview"];
const CLI = join(projectRoot(), "dist", "cli", "rotation.mjs");

/** Carries out an operation undisturbed. @returns its effects in their order */
export async function record(life: Life, operation: Operation): Promise<readonly EffectRef[]> {
  const { world } = life;
  const expected = await life.prepare(operation);
  const rowsBefore = (await life.rows()).length;
  world.gate.open();
  const { exitCode, stdout, stderr } = await world.stack.pulumi(UP);
  if (exitCode !== 0) throw new Error(`the ${operation} failed undisturbed: ${stdout}${stderr}`);
  const problems = await checkFinished(life, expected, rowsBefore);
  if (problems.length > 0) throw new Error(`the ${operation} undisturbed: ${problems.join("; ")}`);
  return world.gate.sequence;
}

/** Carries out an operation, kills its run at the point, and finishes it by another run. */
export async function crash(life: Life, point: Point): Promise<Outcome> {
  const [started, begun] = [performance.now(), Date.now()];
  const { world, readers } = life;
  let expected = await life.prepare(point.operation);
  const [rowsBefore, before] = [(await life.rows()).length, await life.stored()];
  const load = await startLoad(world.lab, { loginsPerSecond: 10, alpacaPerSecond: 10, services: readers });
  const problems = await killAt(life, point);
  const between = await life.stored();
  problems.push(...(await lookBetween(life, between)));
  if (point.instead !== undefined) expected = await life.prepare(point.instead);
  problems.push(...(await recover(life, point)));
  problems.push(...(await checkFinished(life, expected, rowsBefore)));
  const after = await life.stored();
  const isNew = point.instead === undefined && between.works === true && between.value !== before.value;
  if (isNew && between.value !== after.value)
    problems.push("the credential that was in the store already was given up");
  const attempts = await judge(life, begun, await load.stop());
  if (attempts.failed > attempts.excused || attempts.tried === 0)
    problems.push(`attempts: ${JSON.stringify(attempts)}`);
  problems.push(...(await checkUnchanged(life)));
  return {
    ...point,
    problems,
    between: between.works === true ? "works" : between.works === false ? "refused" : "half written",
    attempts,
    rows: { expected: 1, found: (await life.rows()).length - rowsBefore },
    seconds: Math.round((performance.now() - started) / 100) / 10,
  };
}

/** Runs `pulumi up` into the point. Afterwards nothing of it is left alive. */
async function killAt({ world }: Life, point: Point): Promise<string[]> {
  const { gate, stack } = world;
  const problems: string[] = [];
  let reached = false;
  gate.arm(point, async () => {
    reached = true;
    if (point.victim === "machine") gate.shut();
    await killVictim(world, point.victim, point.effect).catch((error: unknown) => {
      problems.push(String(error));
      gate.shut();
    });
  });
  const run = stack.pulumi(UP);
  // An operator who was not killed comes to an end without help.
  const left = await outlived(world, run, 200_000, point.victim, () => gate.isIdle);
  if (left.length > 0) problems.push(`did not end by itself: ${left.join(" | ")}`);
  const { stdout, stderr } = await run;
  if (point.victim === "machine" && point.instead === undefined) await tear(world);
  if (!reached) problems.push(`${point.effect} (${point.nth}) did not come: ${stdout}${stderr}`);
  gate.open();
  return problems;
}

/** The worst a dead machine leaves of a state in a folder: the small file beside it, cut off in the middle of a write. */
async function tear({ stack }: Life["world"]): Promise<void> {
  const file = join(stack.stateDir, ".pulumi", "stacks", "secret-rotation", `${stack.name}.json.attrs`);
  if (existsSync(file)) await truncate(file);
}

/**
 * While the run is dead: what the store holds must work for the one who starts now, and a service that is started does get
 * it. With a single user the store is behind the database between ALTER and the store's write: that is its window.
 */
export async function lookBetween({ world, strategy, readers }: Life, { works }: Awaited<ReturnType<Life["stored"]>>) {
  if (strategy === "single-user" || works === "half written") return [];
  if (works === false) return ["the store holds a credential that does not work"];
  const [service = ""] = readers;
  await world.lab.hosts[0]?.systemctl("restart", service);
  const isHealthy = async () => (await world.lab.health(service)).status === "healthy";
  return poll(isHealthy, { what: `${service}, started while the run was dead, healthy`, limitMs: 60_000 }).then(
    () => [],
    (error: Error) => [error.message],
  );
}

async function recover(life: Life, { recovery, victim, effect }: Point): Promise<string[]> {
  const { stack } = life.world;
  const isLocked = (victim === "machine" || victim === "engine") && !effect.startsWith("state: ");
  if (recovery === "rotation run") {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [CLI, "run", "--yes", "--stack", stack.name], {
      cwd: stack.projectDir,
      env: stack.env,
      reject: false,
      stdin: "ignore",
    });
    const said = `${stdout}\n${stderr}`;
    if (exitCode !== 0) return [`rotation run: exit ${exitCode}: ${said}`];
    return isLocked && !said.includes("cleared the lock")
      ? [`rotation run did not say that it took the lock: ${said}`]
      : [];
  }
  if (victim === "machine" || victim === "engine") {
    fixTornFiles(openProject(stack.projectDir, stack.name, { ...stack.env }));
    const cancelled = await stack.pulumi(["cancel", "--yes"]);
    if (isLocked && cancelled.exitCode !== 0) return [`pulumi cancel: ${cancelled.stderr}`];
  }
  const { exitCode, stdout, stderr } = await stack.pulumi(UP);
  return exitCode === 0 ? [] : [`pulumi up: ${stdout}${stderr}`];
}

/** What must hold once the operation is done: outputs, log (FAILED rows aside), store, services. */
export async function checkFinished(life: Life, expected: Expected, rowsBefore: number): Promise<string[]> {
  const { world, readers } = life;
  const problems: string[] = [];
  const state = await life.state();
  const active = state && activeGeneration(state);
  if (active !== expected.active) problems.push(`generation ${active} is active, not ${expected.active}`);
  const rows = JSON.stringify((await life.rows()).slice(rowsBefore).filter(([, , status]) => status !== "FAILED"));
  if (rows !== JSON.stringify([[...expected.row, "SUCCESS"]])) problems.push(`rows ${rows}, not ${expected.row}`);
  if (!(await chainIsValid(life))) problems.push("the log's chain is broken");
  const { works, version } = await life.stored();
  if (works !== true) problems.push(`the store's credential: ${works || "refused"}`);
  for (const service of readers) {
    const health = await world.lab.health(service);
    if (health.status !== "healthy" || !life.holds(health, version)) {
      const held = [health.database?.version, health.alpaca?.version].join(" and ");
      problems.push(`${service} is ${health.status} with ${held}, not ${version}`);
    }
  }
  return problems;
}

async function chainIsValid({ world }: Life): Promise<boolean> {
  const { valid, guarded } = await world.lab.postgres.session((client) => verifyChain(client));
  return valid && guarded;
}

export async function checkUnchanged(life: Life): Promise<string[]> {
  const { exitCode, stdout, stderr } = await life.world.stack.pulumi(UP);
  const isQuiet = exitCode === 0 && /Resources:\n\s+\d+ unchanged\n/.test(stdout);
  return isQuiet ? [] : [`the second run was not without a change: ${stdout}${stderr}`];
}

/** With one role a login may fail from the role's change until its service was restarted; otherwise none may. */
export async function judge(
  { world, strategy, readers }: Life,
  begun: number,
  result: LoadResult,
): Promise<Outcome["attempts"]> {
  const { tried, failed, failures } = strategy === "alpaca-key" ? result.alpaca : result.logins;
  if (strategy !== "single-user" && strategy !== "vault-static") return { tried, failed, excused: 0 };
  const lines = (await readFile(world.lab.postgres.logFile, "utf8")).split("\n");
  const changes = lines
    .filter((line) => /(statement|execute [^:]*): ALTER (ROLE|USER) "trader" .*PASSWORD/.test(line))
    .map((line) => Date.parse(`${line.slice(0, 23).replace(" ", "T")}Z`))
    .filter((at) => at >= begun - 1000);
  const ends = new Map<string, number>();
  for (const name of readers) ends.set(name, Date.parse((await world.lab.health(name)).database?.loaded_at ?? ""));
  // A login that was under way when the password changed counts from its beginning.
  const isInWindow = (t: number, service: string) => t > Math.min(...changes) - 1000 && t < Number(ends.get(service));
  return {
    tried,
    failed,
    excused: failures.filter(({ t, service, code }) => code === "28P01" && isInWindow(t, service)).length,
  };
}
