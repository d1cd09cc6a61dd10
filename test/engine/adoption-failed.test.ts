import { describe, expect, it } from "vitest";
import { poll } from "../../dev/lab/poll";
import { type CommandResult, fine, json, rotation, setClock, unwrapped } from "./cli-support";
import { EFFECTS } from "./crash-support";
import { giveUpSoon } from "./half-way-support";
import { type Bench, login, setRequest, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { changePassword } from "./role-support";

const SECRET = "database/password";

const configOf = async ({ stack }: Bench, key: string): Promise<string> => {
  const { exitCode, stdout } = await stack.pulumi(["config", "get", key]);
  return exitCode === 0 ? stdout.trim() : "";
};

/** An operator changes the password in use by hand: in the database and in the store. */
async function byHand(bench: Bench, role: string, password: string): Promise<void> {
  await changePassword(bench, role, password);
  await bench.lab.store.put(SECRET, password);
}

/** The run's update reaches the services, and the orchestrator cannot use what it reads. */
async function failingAtOrchestrator(bench: Bench): Promise<CommandResult> {
  const [host] = bench.lab.hosts;
  // Neither the role nor the store need change for a value that both hold; the first restart shows in any case.
  await host?.setFault("signal-service", { kind: "slow-start", ms: 2500 });
  const isRestarted = await EFFECTS.restarted.watch(bench);
  let ended = false;
  const run = rotation(bench, ["run", "--yes"]).finally(() => (ended = true));
  await poll(async () => ended || isRestarted(), { what: EFFECTS.restarted.name, limitMs: 200_000 });
  await host?.setFault("orchestrator", { kind: "never-healthy" });
  const result = await run;
  for (const service of ["signal-service", "orchestrator"]) await host?.setFault(service, undefined);
  return result;
}

describe.each([
  ["alternating-users", "trader_a"],
  ["single-user", "trader"],
] as const)("a value that was written by hand, %s", (strategy, user) => {
  const bench = useBench({ strategies: { [SECRET]: strategy } });

  it("corrects `adopted` without a request while generation 0 is in use, and the daily run goes on", async () => {
    await giveUpSoon(bench());
    await up(bench());
    await setRequest(bench(), { id: "back", activate: 0 });
    await fine(bench(), ["run", "--yes"]);
    expect(await configOf(bench(), "request")).toBe("");

    await byHand(bench(), "trader", "changed-by-hand-0");
    const said = await fine(bench(), ["adopt", SECRET]);
    expect(unwrapped(said)).toContain("generation 0, which is in use, is the config's `adopted`");
    expect(said).not.toContain("changed-by-hand-0");
    expect(await configOf(bench(), "request")).toBe("");
    await fine(bench(), ["run", "--yes"]);
    expect((await stored(bench(), SECRET)).value).toBe("changed-by-hand-0");
    expect(await login(bench(), "trader", "changed-by-hand-0")).toBe("ok");
    const [secret] = (await json<{ secrets: Record<string, unknown>[] }>(bench(), ["status"])).secrets;
    expect(secret).toMatchObject({ standing: "due", ageDays: null, daysLeft: null, inUseBefore: expect.any(String) });
  });

  it("is not adopted if it does not log in, and says which login was tried", async () => {
    await setClock(bench(), 2);
    await fine(bench(), ["run", "--yes"]);
    // Slot a holds 0, so the next one is slot b's; another rotation, and slot a is in use.
    await setRequest(bench(), { id: "again", rotate: true });
    await fine(bench(), ["run", "--yes"]);
    expect(await stateOf(bench())).toMatchObject({ slots: [3, 2], active: 0 });
    const kept = await configOf(bench(), "adopted");
    const own = await stored(bench(), SECRET);
    await bench().lab.store.put(SECRET, "never-set-anywhere");
    const refused = await rotation(bench(), ["adopt", SECRET]);
    expect(refused.exitCode).not.toBe(0);
    expect(unwrapped(refused.stderr)).toContain(`${user} cannot log in to trader`);
    expect(unwrapped(refused.stderr)).toContain(`Expected the value with which ${user} logs in`);
    expect(refused.stdout + refused.stderr).not.toContain("never-set-anywhere");
    expect(await configOf(bench(), "adopted")).toBe(kept);
    expect(await configOf(bench(), "request")).toBe("");
    await bench().lab.store.put(SECRET, own.value);
    expect(unwrapped(await fine(bench(), ["adopt", SECRET]))).toContain("this stack wrote that value");
  });

  it("goes back by the advised rollback when its adoption fails at a service", { timeout: 600_000 }, async () => {
    const { lab } = bench();
    const own = await stored(bench(), SECRET);
    await byHand(bench(), user, "p@ss:w/rd#1%2f");
    await fine(bench(), ["adopt", SECRET]);
    const failed = await failingAtOrchestrator(bench());
    expect(failed.exitCode, failed.stdout + failed.stderr).toBe(1);
    const status = await rotation(bench(), ["status"]);
    expect(status.exitCode).toBe(3);
    expect(unwrapped(status.stdout)).toContain("an update (ADOPT to generation 4, begun");
    expect(status.stdout).toMatch(/^database\/password +unfinished/m);

    await fine(bench(), ["rollback", SECRET, "--yes", "--reason", "the adopted value cannot be used"]);
    expect(await stateOf(bench())).toMatchObject({ slots: [3, 2], active: 0, step: { action: "ROLLBACK" } });
    expect((await stored(bench(), SECRET)).value).toBe(own.value);
    expect(await login(bench(), user, own.value)).toBe("ok");
    expect(await login(bench(), user, "p@ss:w/rd#1%2f")).toBe("28P01");
    for (const service of ["signal-service", "orchestrator"])
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { user } });
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect((await rotation(bench(), ["status"])).exitCode).toBe(0);

    await setRequest(bench(), { id: "on", rotate: true });
    await fine(bench(), ["run", "--yes"]);
    expect(await stateOf(bench())).toMatchObject({ slots: [3, 5], active: 1 });
  });
});
