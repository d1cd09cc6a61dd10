import { describe, expect, it } from "vitest";
import { EFFECTS, killedUp, unlock } from "./crash-support";
import { rowsOf } from "./half-way-support";
import { login, setRequest, stateOf, stored, up, useBench } from "./harness";

describe("a single user, SIGKILL of `pulumi up` in the middle of the adoption and of a rollback", () => {
  const bench = useBench({ strategies: { "database/password": "single-user" } });

  it("is finished by the next run", { timeout: 600_000 }, async () => {
    const { lab } = bench();
    const adopted = String(lab.adopted["database/password"]);
    await killedUp(bench(), EFFECTS.passwordSet);
    expect(await stateOf(bench())).toBeUndefined();
    await unlock(bench());
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1 });
    const first = await stored(bench(), "database/password");
    expect(await login(bench(), "trader", first.value)).toBe("ok");

    await setRequest(bench(), { id: "back", activate: 0 });
    await killedUp(bench(), EFFECTS.passwordSet);
    await unlock(bench());
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 0 });
    expect(await stored(bench(), "database/password")).toMatchObject({ value: adopted });
    expect(await login(bench(), "trader", adopted)).toBe("ok");
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { version: 3 } });
    }
    expect(await rowsOf(bench())).toEqual([
      ["ADOPT", 1],
      ["ROLLBACK", 0],
    ]);
  });
});
