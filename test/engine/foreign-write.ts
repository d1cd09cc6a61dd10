import { expect, it } from "vitest";
import type { SecretState } from "../../core/state";
import { auditRows, type Bench, login, refusedUp, setDay, setRequest, stateOf, stored, up } from "./harness";
import { changePassword } from "./role-support";

/** Another changes the password in use by hand: in the database and in the store. */
async function byHand(bench: Bench, user: string, password: string): Promise<void> {
  await changePassword(bench, user, password);
  await bench.lab.store.put("database/password", password);
}

/**
 * What must be true of every store when another writes to it, on a stack with alternating users.
 * @param day when the next rotation is due
 */
export function noticesForeignWrites(bench: () => Bench, day: number): void {
  let state: SecretState;
  /** Of a slot. */
  const user = (slot: number) => (slot === 0 ? "trader_a" : "trader_b");
  /** The number of the value that was adopted. */
  const adopted = () => Math.max(...state.slots) + 1;

  it("an external write: stops, says which version and when, and adopts the value on request", async () => {
    state = (await stateOf(bench())) as SecretState;
    const first = await stored<number | string>(bench(), "database/password");
    await byHand(bench(), user(state.active), "changed-by-hand-1");
    const written = await stored<number | string>(bench(), "database/password");
    await setDay(bench(), day);
    const refusal = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(refusal).toContain(`database/password: version ${written.version}, written 20`);
    expect(refusal).toContain("Two ways on: take that value over");
    expect(refusal).not.toContain("changed-by-hand-1");
    expect(await stored(bench(), "database/password")).toEqual(written);
    expect(await login(bench(), user(state.active), "changed-by-hand-1")).toBe("ok");

    await bench().stack.configureSecret("adopted", JSON.stringify({ "database/password": "changed-by-hand-1" }));
    await setRequest(bench(), { id: "adopt-it", adopt: true });
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({
      active: state.active,
      adoptedGeneration: adopted(),
      rotatedAt: state.rotatedAt,
      step: { action: "ADOPT", generation: adopted() },
    });
    expect((await stored(bench(), "database/password")).value).toBe("changed-by-hand-1");
    expect(first.value).not.toBe("changed-by-hand-1");
    for (const service of ["signal-service", "orchestrator"])
      expect(await bench().lab.health(service)).toMatchObject({
        status: "healthy",
        database: { user: user(state.active) },
      });
  });

  it("rotates away from it like from any other, and overwrites another one only when it is told to", async () => {
    const other = 1 - state.active;
    // The generation before the adopted one has its grace period.
    await setDay(bench(), day + 1);
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({
      active: other,
      step: { action: "ROTATE", generation: adopted() + 1 },
    });
    await byHand(bench(), user(other), "changed-by-hand-2");
    const { version } = await stored<number | string>(bench(), "database/password");
    await setRequest(bench(), { id: "back to it", activate: adopted() });
    expect(await refusedUp(bench())).toContain(`version ${version}, written 20`);
    expect(await login(bench(), user(other), "changed-by-hand-2")).toBe("ok");

    await setRequest(bench(), { id: "back to it", activate: adopted(), force: true });
    await up(bench());
    expect(await stored(bench(), "database/password")).toMatchObject({ value: "changed-by-hand-1" });
    expect(await login(bench(), user(state.active), "changed-by-hand-1")).toBe("ok");
    const rows = await auditRows(bench());
    expect(rows.slice(-3).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK"]);
    expect(JSON.stringify(rows.at(-1)?.outputs)).toContain(`overwrites database/password: version ${version}`);
    expect(JSON.stringify(rows)).not.toContain("changed-by-hand");
  });
}
