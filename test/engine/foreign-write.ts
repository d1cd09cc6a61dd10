import { expect, it } from "vitest";
import { auditRows, type Bench, login, refusedUp, setDay, setRequest, stateOf, stored, up } from "./harness";
import { changePassword } from "./role-support";

/** Somebody changes the password in use by hand: in the database and in the store. */
async function byHand(bench: Bench, user: string, password: string): Promise<void> {
  await changePassword(bench, user, password);
  await bench.lab.store.put("database/password", password);
}

/** What must be true of every store when another writes to it. */
export function noticesForeignWrites(bench: () => Bench): void {
  it("stops, says which version and when, and takes the value over on request", async () => {
    await up(bench());
    const first = await stored<number | string>(bench(), "database/password");
    await byHand(bench(), "trader_b", "changed-by-hand-1");
    const written = await stored<number | string>(bench(), "database/password");
    await setDay(bench(), 89);
    const refusal = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(refusal).toContain(`database/password: version ${written.version}, written 20`);
    expect(refusal).toContain("Two ways on: take that value over");
    expect(refusal).not.toContain("changed-by-hand-1");
    expect(await stored(bench(), "database/password")).toEqual(written);
    expect(await login(bench(), "trader_b", "changed-by-hand-1")).toBe("ok");

    await bench().stack.configureSecret("adopted", JSON.stringify({ "database/password": "changed-by-hand-1" }));
    await setRequest(bench(), { id: "take-over", adopt: true });
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({
      active: 1,
      adoptedGeneration: 2,
      rotatedAt: "2026-11-23T02:00:00.000Z",
      step: { action: "ADOPT", generation: 2 },
    });
    expect((await stored(bench(), "database/password")).value).toBe("changed-by-hand-1");
    expect(first.value).not.toBe("changed-by-hand-1");
    for (const service of ["signal-service", "orchestrator"])
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader_b" } });
  });

  it("rotates away from it like from any other, and overwrites another one only when it is told to", async () => {
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ active: 0, step: { action: "ROTATE", generation: 3 } });
    await byHand(bench(), "trader_a", "changed-by-hand-2");
    const { version } = await stored<number | string>(bench(), "database/password");
    await setRequest(bench(), { id: "back", activate: 2 });
    expect(await refusedUp(bench())).toContain(`version ${version}, written 20`);
    expect(await login(bench(), "trader_a", "changed-by-hand-2")).toBe("ok");

    await setRequest(bench(), { id: "back", activate: 2, force: true });
    await up(bench());
    expect(await stored(bench(), "database/password")).toMatchObject({ value: "changed-by-hand-1" });
    expect(await login(bench(), "trader_b", "changed-by-hand-1")).toBe("ok");
    const rows = await auditRows(bench());
    expect(rows.map(({ action }) => action)).toEqual(["ADOPT", "ADOPT", "ROTATE", "ROLLBACK"]);
    expect(JSON.stringify(rows.at(-1)?.outputs)).toContain(`overwrites database/password: version ${version}`);
    expect(JSON.stringify(rows)).not.toContain("changed-by-hand");
  });
}
