import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { labConfig } from "../../dev/lab/deploy";
import type { LabOptions } from "../../dev/lab/lab";
import { exposure, type Load, type LoadResult, startLoad } from "../../dev/lab/load";
import { poll } from "../../dev/lab/poll";
import { rollsBackTo, rowsOf } from "./half-way-support";
import {
  auditRows,
  type Bench,
  login,
  refusedUp,
  setDay,
  setRequest,
  stateOf,
  stored,
  UNCHANGED,
  up,
  useBench,
} from "./harness";
import { trailOf } from "./leak-hunt";
import { previewsRotation } from "./preview-support";
import { roleAttributes } from "./role-support";

const READERS = ["signal-service", "orchestrator"];

/** When the server was told to change the role's password, from its own log, epoch milliseconds, oldest first. */
async function alterations({ lab }: Bench): Promise<number[]> {
  const lines = (await readFile(lab.postgres.logFile, "utf8")).split("\n");
  return lines
    .filter((line) => /statement: ALTER ROLE "trader" (LOGIN )?PASSWORD/.test(line))
    .map((line) => Date.parse(`${line.slice(0, 23).replace(" ", "T")}Z`));
}

describe("a single user's password, by plain `pulumi up` under load", () => {
  let load: Load | undefined;
  // Until the window was seen, however quick the restart.
  const around: LabOptions["around"] = async (_effect, act) => {
    const seen = async () => load === undefined || exposure((await load.snapshot()).logins.failures) > 0;
    await poll(seen, { what: "two logins that fail", limitMs: 200_000 });
    return act();
  };
  const bench = useBench({
    strategies: { "database/password": "single-user" },
    labOptions: { around },
    huntLeaks: true,
  });
  const trail = trailOf(bench);

  it("fails logins between ALTER and the last restart alone, ends the old password at once, rolls back and leaves no credential", async () => {
    const { lab } = bench();
    const adopted = String(lab.adopted["database/password"]);
    await lab.postgres.query(`
      CREATE ROLE readers;
      GRANT readers TO trader;
      ALTER ROLE trader CREATEDB CONNECTION LIMIT 61 VALID UNTIL '2031-02-03 04:05:06+00';
      ALTER ROLE trader SET search_path TO public, "$user";
      ALTER ROLE trader SET statement_timeout TO '29s';
      ALTER ROLE trader SET work_mem TO '5MB'`);
    const before = await roleAttributes(bench(), "trader");
    expect(before).toMatchObject({ rolconnlimit: 61, member_of: ["readers"] });

    await trail.up();
    expect(await roleAttributes(bench(), "trader")).toEqual(before);
    const first = await stored(bench(), "database/password");
    expect(first.version).toBe(2);
    expect(await login(bench(), "trader", first.value)).toBe("ok");
    expect(await login(bench(), "trader", adopted)).toBe("28P01");

    await setDay(bench(), 89);
    await previewsRotation(bench(), "single-user", () => trail.previews());
    load = await startLoad(lab, { loginsPerSecond: 10, services: READERS });
    await trail.up();
    const second = await stored(bench(), "database/password");
    expect(second.version).toBe(3);
    expect(await login(bench(), "trader", second.value)).toBe("ok");
    expect(await login(bench(), "trader", first.value)).toBe("28P01");
    expect(await roleAttributes(bench(), "trader")).toEqual(before);
    await expectWindow(bench(), await load.stop({ logins: 30 }));

    await trail.refusal();
    await setRequest(bench(), { id: "back", activate: 1 });
    load = await startLoad(lab, { loginsPerSecond: 10, services: READERS });
    await trail.up();
    expect(await stored(bench(), "database/password")).toMatchObject({ value: first.value, version: 4 });
    expect(await login(bench(), "trader", first.value)).toBe("ok");
    expect(await login(bench(), "trader", second.value)).toBe("28P01");
    await expectWindow(bench(), await load.stop({ logins: 30 }));

    await setDay(bench(), 89.5);
    const again = await up(bench());
    expect(again.stdout).toMatch(UNCHANGED);
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 1 });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
      ["ROLLBACK", 1],
    ]);
    expect(await roleAttributes(bench(), "trader")).toEqual(before);
    await trail.leadsNowhere();
  });

  it("does not change to another strategy in place, but by taking the secret out and adopting it anew", async () => {
    const { lab, stack } = bench();
    const before = await stored(bench(), "database/password");
    const role = await roleAttributes(bench(), "trader");
    const { secrets } = labConfig({ lab });
    await stack.configure("request", undefined);
    await stack.configure("secrets", secrets);
    expect(await refusedUp(bench())).toContain(
      "strategy changed from single-user to alternating-users, which cannot be done in place",
    );
    expect(await stored(bench(), "database/password")).toEqual(before);

    await stack.configure("secrets", []);
    await stack.configure("adopted", undefined);
    await up(bench());
    expect(await login(bench(), "trader", before.value)).toBe("ok");
    expect(await stored(bench(), "database/password")).toEqual(before);

    await stack.configure("secrets", secrets);
    await stack.configureSecret("adopted", JSON.stringify({ "database/password": before.value }));
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], step: { action: "ADOPT" } });
    expect(await login(bench(), "trader_b", (await stored(bench(), "database/password")).value)).toBe("ok");
    expect(await login(bench(), "trader", before.value)).toBe("ok");
    // The second ADOPT is a row of its own, though its step has the same number as the first.
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK", "ADOPT"]);

    // The very first rotation of alternating users is rolled back to the adopted password, long after the grace period:
    // the role's login has ended and comes back.
    await setDay(bench(), 100);
    await up(bench());
    expect(await login(bench(), "trader", before.value)).not.toBe("ok");
    await rollsBackTo(bench(), 0);
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 0 });
    expect(await stored(bench(), "database/password")).toMatchObject({ value: before.value });
    expect(await login(bench(), "trader", before.value)).toBe("ok");
    expect(await roleAttributes(bench(), "trader")).toEqual(role);
    for (const service of READERS)
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader" } });
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect((await rowsOf(bench())).slice(3)).toEqual([
      ["ADOPT", 1],
      ["REVOKE", 0],
      ["ROLLBACK", 0],
    ]);
  });
});

/** Holds the failures of one activation against the moments at which the server and the services changed over. */
async function expectWindow(bench: Bench, { logins }: LoadResult) {
  const alter = Number((await alterations(bench)).at(-1));
  const ends = await Promise.all(
    READERS.map(async (name) => [name, Date.parse((await bench.lab.health(name)).database?.loaded_at ?? "")] as const),
  );
  const end = Math.max(...ends.map(([, at]) => at));
  expect(end).toBeGreaterThan(alter);
  // With one user there must be some: else nothing was measured.
  expect(logins.failed).toBeGreaterThan(0);
  for (const { t, service, code } of logins.failures) {
    expect(code).toBe("28P01");
    // A login that was under way when the password changed counts from its beginning.
    expect(t).toBeGreaterThan(alter - 1000);
    expect(t, service).toBeLessThan(Number(ends.find(([name]) => name === service)?.[1]));
  }
  const seconds = exposure(logins.failures);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual((end - alter) / 1000 + 1);
}
