import { describe, expect, it } from "vitest";
import { EFFECTS, killedUp, rotateKilledEachTime, unlock } from "./crash-support";
import { rowsOf } from "./half-way-support";
import { login, setDay, setRequest, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { roleAttributes } from "./role-support";

const READERS = ["signal-service", "orchestrator"];

describe("a single user, SIGKILL of `pulumi up`", () => {
  const bench = useBench({ strategies: { "database/password": "single-user" } });
  const serve = async (version: number) => {
    for (const service of READERS)
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database: { version } });
  };

  it("in the middle of the adoption, and of the very first rollback: finished by the next run", async () => {
    const adopted = String(bench().lab.adopted["database/password"]);
    const role = await roleAttributes(bench(), "trader");
    await killedUp(bench(), EFFECTS.passwordSet);
    expect(await stateOf(bench())).toBeUndefined();
    await unlock(bench());
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1 });
    const first = await stored(bench(), "database/password");
    expect(await login(bench(), "trader", first.value)).toBe("ok");
    expect(await login(bench(), "trader", adopted)).toBe("28P01");

    await setRequest(bench(), { id: "back", activate: 0 });
    await killedUp(bench(), EFFECTS.passwordSet);
    await unlock(bench());
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 0 });
    expect(await stored(bench(), "database/password")).toMatchObject({ value: adopted });
    expect(await login(bench(), "trader", adopted)).toBe("ok");
    expect(await roleAttributes(bench(), "trader")).toEqual(role);
    await serve(3);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect(await rowsOf(bench())).toEqual([
      ["ADOPT", 1],
      ["ROLLBACK", 0],
    ]);
  });

  it("in the middle of a rotation: finished by the next runs with the same generation, and the services hold it", async () => {
    const before = await stored(bench(), "database/password");
    await setDay(bench(), 89);
    await rotateKilledEachTime(bench());
    const after = await stored(bench(), "database/password");
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 2], active: 1 });
    expect(await login(bench(), "trader", after.value)).toBe("ok");
    expect(await login(bench(), "trader", before.value)).toBe("28P01");
    await serve(after.version);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect((await rowsOf(bench())).slice(2)).toEqual([["ROTATE", 2]]);
  });
});
