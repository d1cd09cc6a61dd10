import { describe, expect, it } from "vitest";
import { fine, rotation } from "./cli-support";
import { auditRows, login, stateOf, stored, useBench } from "./harness";

const SECRET = "database/password";

describe("rotation rollback", () => {
  const bench = useBench();

  it("has nothing to go back to before the first run, and says what to run", async () => {
    for (const to of [[], ["--to", "0"]]) {
      const refused = await rotation(bench(), ["rollback", SECRET, ...to, "--reason", "x", "--yes"]);
      expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
      expect(refused.stderr).toContain("has not adopted database/password yet: nothing to roll back. `rotation run");
    }
    expect(await auditRows(bench())).toEqual([]);
  });

  it("refuses a generation that is not there, and changes nothing", async () => {
    await fine(bench(), ["run", "--yes"]);
    const before = await stored(bench(), SECRET);
    const refused = await rotation(bench(), ["rollback", SECRET, "--to", "7", "--reason", "x", "--yes"]);
    expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain("has no generation 7 in its slots; available: 0 (active now: 1)");
    expect(await stored(bench(), SECRET)).toEqual(before);
    expect((await bench().stack.pulumi(["config", "get", "request"])).exitCode).not.toBe(0);
  });

  it("goes back to the generation before, in the database, the store and the services, and logs why", async () => {
    const adopted = bench().lab.adopted[SECRET] ?? "";
    const shown = await fine(bench(), ["rollback", SECRET, "--reason", "orders fail", "--yes"]);
    expect(shown).toContain("done database/password: rolled back to generation 0 (was 1)");
    expect((await stored(bench(), SECRET)).value).toBe(adopted);
    expect(await login(bench(), "trader", adopted)).toBe("ok");
    expect(await stateOf(bench())).toMatchObject({ active: 0, slots: [0, 1] });
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      action: "ROLLBACK",
      status: "SUCCESS",
      generation: 0,
      reason: "orders fail",
    });
    for (const service of ["signal-service", "orchestrator"])
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader" } });
    expect((await bench().stack.pulumi(["config", "get", "request"])).exitCode).not.toBe(0);
  });
});
