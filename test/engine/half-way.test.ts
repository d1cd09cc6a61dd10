import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { begunOf, type StateResource } from "../../core/begun";
import { startLoad } from "../../dev/lab/load";
import { failsHalfWayAt, giveUpSoon, rollsBackTo, rotatesAfterRollback, rowsOf } from "./half-way-support";
import { type Bench, login, setDay, setRequest, stateFile, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const SECRET = "database/password";
const READERS = ["signal-service", "orchestrator"];

const resourcesOf = async (bench: Bench): Promise<StateResource[]> =>
  JSON.parse(await readFile(stateFile(bench), "utf8")).checkpoint.latest.resources;

describe.each([
  { strategy: "alternating-users", active: "trader_b", next: "trader_a" },
  { strategy: "single-user", active: "trader", next: "trader" },
] as const)("a rotation that stops at an unhealthy service, $strategy", ({ strategy, active, next }) => {
  const bench = useBench({ strategies: { [SECRET]: strategy } });
  const serve = async (user: string) => {
    const { version } = await stored(bench(), SECRET);
    const database = strategy === "single-user" ? { user, version } : { user };
    for (const service of READERS)
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database });
  };

  it("the very first one is rolled back to the adopted password, and the next has a generation of its own", async () => {
    const adopted = String(bench().lab.adopted[SECRET]);
    await giveUpSoon(bench());
    await failsHalfWayAt(bench(), "orchestrator");
    const abandoned = await stored(bench(), SECRET);
    expect(abandoned.value).not.toBe(adopted);

    await rollsBackTo(bench(), 0);
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 0 });
    expect(await stored(bench(), SECRET)).toMatchObject({ value: adopted });
    expect(await login(bench(), "trader", adopted)).toBe("ok");
    await serve("trader");

    await rotatesAfterRollback(bench(), 0, 2);
    expect((await stored(bench(), SECRET)).value).not.toBe(abandoned.value);
    expect(await rowsOf(bench())).toEqual([
      ["ROLLBACK", 0],
      ["ROTATE", 2],
    ]);
  });

  it("a later one is rolled back by a request too, and services of alternating users log in all along", async () => {
    const before = await stored(bench(), SECRET);
    const load = await startLoad(bench().lab, { loginsPerSecond: 5, services: READERS });
    await setDay(bench(), 91);
    await failsHalfWayAt(bench(), "signal-service");
    const abandoned = await stored(bench(), SECRET);
    expect(await login(bench(), next, abandoned.value)).toBe("ok");
    expect(await login(bench(), active, before.value)).toBe(strategy === "single-user" ? "28P01" : "ok");

    await rollsBackTo(bench(), 2);
    expect(await stateOf(bench())).toMatchObject({ slots: [3, 2], active: 1 });
    expect((await stored(bench(), SECRET)).value).toBe(before.value);
    expect(await login(bench(), active, before.value)).toBe("ok");
    if (strategy === "single-user") expect(await login(bench(), next, abandoned.value)).toBe("28P01");
    else expect(await stored(bench(), "database/username")).toMatchObject({ value: active });
    await serve(active);

    await rotatesAfterRollback(bench(), 91, 4);
    const last = await stored(bench(), SECRET);
    expect(last.value).not.toBe(abandoned.value);
    expect(await login(bench(), next, last.value)).toBe("ok");
    expect(await login(bench(), next, abandoned.value)).toBe("28P01");
    const { logins } = await load.stop();
    if (strategy === "alternating-users") expect(logins.failures).toEqual([]);
    expect((await rowsOf(bench())).slice(2)).toEqual([
      ["ROLLBACK", 2],
      ["ROTATE", 4],
    ]);
  });

  it("one that was interrupted is finished by a plain update, although its request is gone and nothing is due", async () => {
    const { stack } = bench();
    await setDay(bench(), 94);
    await up(bench());
    expect(begunOf(await resourcesOf(bench()), SECRET)).toBeUndefined();
    const before = await stored(bench(), SECRET);
    await setRequest(bench(), { id: "r1", rotate: true });
    await failsHalfWayAt(bench(), "signal-service");
    const made = await stored(bench(), SECRET);
    expect(made.value).not.toBe(before.value);
    const begun = begunOf(await resourcesOf(bench()), SECRET);
    expect(begun).toMatchObject({ slots: [4, 5], active: 1, handledRequest: "r1" });

    await stack.configure("request", undefined);
    await setDay(bench(), 95);
    const preview = await stack.pulumi(["preview"]);
    expect(preview.stdout).toContain("rotates from generation 4 to 5");
    expect(preview.stdout).not.toMatch(/RandomPassword .* (create|replace)/);
    await up(bench());
    const step = { ...begun?.step, at: "2027-02-26T02:00:00.000Z" };
    expect(await stateOf(bench())).toEqual({ ...begun, step });
    expect(await stored(bench(), SECRET)).toEqual(made);
    expect(await login(bench(), active, made.value)).toBe("ok");
    for (const service of READERS)
      expect(await bench().lab.health(service)).toMatchObject({
        status: "healthy",
        database: { version: made.version },
      });
    expect((await rowsOf(bench())).at(-1)).toEqual(["ROTATE", 5]);
    expect(begunOf(await resourcesOf(bench()), SECRET)).toBeUndefined();
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });
});
