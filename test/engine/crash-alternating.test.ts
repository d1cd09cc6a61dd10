import { describe, expect, it } from "vitest";
import { startLoad } from "../../dev/lab/load";
import { expectSettled, rotateKilledEachTime } from "./crash-support";
import { noticesForeignWrites } from "./foreign-write";
import { auditRows, login, setDay, stateOf, stored, up, useBench } from "./harness";

describe("alternating users in Vault, a rotation that is killed, and external writes", () => {
  const bench = useBench();

  it("SIGKILL of `pulumi up` in the middle: finished by the next runs with the same generation, and services log in all along", {
    timeout: 600_000,
  }, async () => {
    const { lab } = bench();
    await up(bench());
    const before = await stored(bench(), "database/password");
    const load = await startLoad(lab, { loginsPerSecond: 5, services: ["signal-service", "orchestrator"] });

    await setDay(bench(), 89);
    await rotateKilledEachTime(bench());
    const after = await stored(bench(), "database/password");
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });
    expect(await login(bench(), "trader_a", after.value)).toBe("ok");
    expect(await login(bench(), "trader_b", before.value)).toBe("ok");
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader_a" } });
    }

    await expectSettled(bench());
    const { logins } = await load.stop({ logins: 100 });
    expect(logins.failures).toEqual([]);
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
    ]);
  });

  noticesForeignWrites(bench, 178);
});
