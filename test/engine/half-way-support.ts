import { expect } from "vitest";
import { poll } from "../../dev/lab/poll";
import type { PulumiResult } from "../../dev/lab/stack";
import { EFFECTS } from "./crash-support";
import { auditRows, type Bench, refusedUp, setDay, setRequest, stateOf, UNCHANGED, up } from "./harness";
import { verifiers } from "./role-support";

const READERS = ["signal-service", "orchestrator"];

/** Health gates that give up after a few seconds instead of a minute. */
export async function giveUpSoon({ lab, stack }: Bench): Promise<void> {
  const services = Object.entries(lab.config.services).map(([name, service]) => [name, { ...service, timeout: "5s" }]);
  await stack.configure("services", Object.fromEntries(services));
}

/**
 * An update that stops at a service which stays unhealthy: it says so with the service's last answer, restarts nothing
 * behind it, writes no audit row and leaves the outputs as they were.
 */
export async function failsHalfWayAt(bench: Bench, service: string): Promise<void> {
  const { lab } = bench;
  const [host] = lab.hosts;
  const [rows, outputs, made] = [await rowsOf(bench), await stateOf(bench), await verifiers(bench)];
  const before = host?.restarts.length ?? 0;
  // Only once the preflight has found it healthy.
  const isStored = await EFFECTS.stored.watch(bench);
  const update = refusedUp(bench);
  await poll(isStored, { what: EFFECTS.stored.name, limitMs: 200_000 });
  await host?.setFault(service, { kind: "never-healthy" });
  const message = await update;
  await host?.setFault(service, undefined);
  expect(message).toMatch(
    new RegExp(
      `${service} on trading-1 was restarted but is not healthy after 5 s; its last answer: \\{"status":"unhea`,
    ),
  );
  expect(restarted(bench, before)).toEqual(READERS.slice(0, READERS.indexOf(service) + 1));
  expect(await rowsOf(bench)).toEqual(rows);
  expect(await stateOf(bench)).toEqual(outputs);
  expect(await verifiers(bench)).not.toEqual(made);
}

/** The rollback by a request: with every reader restarted, and one row. */
export async function rollsBackTo(bench: Bench, generation: number): Promise<PulumiResult> {
  const [host] = bench.lab.hosts;
  const before = host?.restarts.length ?? 0;
  const rows = await rowsOf(bench);
  await setRequest(bench, { id: `back to ${generation}`, activate: generation });
  const rollback = await up(bench);
  expect(restarted(bench, before)).toEqual(READERS);
  expect(await rowsOf(bench)).toEqual([...rows, ["ROLLBACK", generation]]);
  return rollback;
}

/** The update right after a rollback changes nothing; a day later the rotation, if it is due, takes a new generation. */
export async function rotatesAfterRollback(bench: Bench, day: number, generation: number): Promise<void> {
  const before = await verifiers(bench);
  const again = await up(bench);
  expect(again.stdout).toMatch(UNCHANGED);
  expect(await verifiers(bench)).toEqual(before);
  await setDay(bench, day + 1);
  await up(bench);
  const state = await stateOf(bench);
  expect(state?.slots[state.active]).toBe(generation);
  expect((await rowsOf(bench)).at(-1)).toEqual(["ROTATE", generation]);
}

/** Action and generation of every row, oldest first. */
export async function rowsOf(bench: Bench): Promise<unknown[]> {
  const log = await bench.lab.postgres.query("SELECT to_regclass('secret_rotation_log') AS log");
  if (log.rows[0].log === null) return [];
  return (await auditRows(bench)).map(({ action, generation }) => [action, generation]);
}

function restarted({ lab }: Bench, since: number): string[] {
  return (lab.hosts[0]?.restarts ?? []).slice(since).map(({ service }) => service);
}
