import { describe, expect, it } from "vitest";
import { failsHalfWayAt, giveUpSoon, rollsBackTo, rotatesAfterRollback, rowsOf } from "./half-way-support";
import { login, stateOf, stored, useBench } from "./harness";

describe.each(["alternating-users", "single-user"] as const)(
  "the very first rotation, died half-way, %s",
  (strategy) => {
    const bench = useBench({ strategies: { "database/password": strategy } });

    it("is rolled back to the adopted password, and the next one has a generation of its own", async () => {
      const { lab } = bench();
      const adopted = String(lab.adopted["database/password"]);
      await giveUpSoon(bench());
      await failsHalfWayAt(bench(), "orchestrator");
      const abandoned = await stored(bench(), "database/password");
      expect(abandoned.value).not.toBe(adopted);

      await rollsBackTo(bench(), 0);
      expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 0 });
      expect(await stored(bench(), "database/password")).toMatchObject({ value: adopted });
      expect(await login(bench(), "trader", adopted)).toBe("ok");
      for (const service of ["signal-service", "orchestrator"]) {
        expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader" } });
      }

      await rotatesAfterRollback(bench(), 0, 2);
      expect((await stored(bench(), "database/password")).value).not.toBe(abandoned.value);
      expect(await rowsOf(bench())).toEqual([
        ["ROLLBACK", 0],
        ["ROTATE", 2],
      ]);
    });
  },
);
