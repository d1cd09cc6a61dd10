import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { begunOf, type StateResource } from "../../core/begun";
import { failsHalfWayAt, giveUpSoon, rowsOf } from "./half-way-support";
import { type Bench, login, setDay, setRequest, stateFile, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const resourcesOf = async (bench: Bench): Promise<StateResource[]> =>
  JSON.parse(await readFile(stateFile(bench), "utf8")).checkpoint.latest.resources;

describe.each(["alternating-users", "single-user"] as const)("a rotation that was interrupted, %s", (strategy) => {
  const bench = useBench({ strategies: { "database/password": strategy } });

  it("is finished by a plain update, although its request is gone from the config and nothing is due", {
    timeout: 600_000,
  }, async () => {
    const { lab, stack } = bench();
    await giveUpSoon(bench());
    await up(bench());
    expect(begunOf(await resourcesOf(bench()), "database/password")).toBeUndefined();
    const first = await stored(bench(), "database/password");

    await setDay(bench(), 2);
    await up(bench());
    await setRequest(bench(), { id: "r1", rotate: true });
    await failsHalfWayAt(bench(), "signal-service");
    const second = await stored(bench(), "database/password");
    expect(second.value).not.toBe(first.value);
    const begun = begunOf(await resourcesOf(bench()), "database/password");
    expect(begun).toMatchObject({ slots: [2, 1], active: 0, handledRequest: "r1" });

    await stack.pulumi(["config", "rm", "request"]);
    await setDay(bench(), 3);
    const preview = await stack.pulumi(["preview"]);
    expect(preview.stdout).toContain("rotates from generation 1 to 2");
    expect(preview.stdout).not.toMatch(/RandomPassword .* (create|replace)/);
    await up(bench());
    const step = { ...begun?.step, at: "2026-11-26T02:00:00.000Z" };
    expect(await stateOf(bench())).toEqual({ ...begun, step });
    expect(await stored(bench(), "database/password")).toEqual(second);
    expect(await login(bench(), strategy === "single-user" ? "trader" : "trader_a", second.value)).toBe("ok");
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { version: second.version } });
    }
    expect((await rowsOf(bench())).at(-1)).toEqual(["ROTATE", 2]);
    expect(begunOf(await resourcesOf(bench()), "database/password")).toBeUndefined();
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });
});
