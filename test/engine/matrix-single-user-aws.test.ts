import { describe, expect, it } from "vitest";
import { auditRows, login, refusedUp, setDay, setRequest, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { labelled, tagsOf } from "./labels";

describe("a single user's password, kept in AWS Secrets Manager", () => {
  const strategies = { "database/password": "single-user" } as const;
  const bench = useBench({ labOptions: { store: "aws" }, strategies, adopt: false });
  const PATH = "database/password";
  const current = async () => (await stored<string>(bench(), PATH)).value;
  const serves = async () => {
    for (const service of ["signal-service", "orchestrator"])
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader" } });
  };

  it("never overwrites JSON by bare text: refused with its keys, before anything changes", async () => {
    const { lab } = bench();
    const old = String(lab.adopted[PATH]);
    const json = JSON.stringify({ engine: "postgres", host: "db", username: "trader", password: old });
    await lab.store.put(PATH, json);
    const refusal = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(refusal).toContain(
      "it is JSON: it is there under the key `password` (keys: `engine`, `host`, `username`, `password`)",
    );
    expect(refusal).toContain("nothing was changed");
    expect(refusal).not.toContain(old);
    expect((await lab.store.get(PATH))?.value).toBe(json);
    expect(await login(bench(), "trader", old)).toBe("ok");

    // As bare text it can be adopted.
    await lab.store.put(PATH, old);
    expect((await refusedUp(bench())).replace(/\s+/g, " ")).toContain(
      "`rotation adopt database/password --stack paper`",
    );
  });

  it("adopts, rotates and rolls back: the role, the store's two labels, the services and the log agree", async () => {
    const adopted = String(bench().lab.adopted[PATH]);
    await bench().stack.configureSecret("adopted", JSON.stringify({ [PATH]: adopted }));
    await up(bench());
    const first = await current();
    expect(await labelled(bench(), PATH)).toEqual({ current: first, previous: adopted });

    await setDay(bench(), 89);
    await up(bench());
    const second = await current();
    expect(await labelled(bench(), PATH)).toEqual({ current: second, previous: first });
    expect(await login(bench(), "trader", second)).toBe("ok");
    expect(await login(bench(), "trader", first)).toBe("28P01");
    expect(await tagsOf(bench(), PATH)).toMatchObject({ status: "active", generation: "2" });
    await serves();

    await setRequest(bench(), { id: "back", activate: 1 });
    await up(bench());
    expect(await labelled(bench(), PATH)).toEqual({ current: first, previous: second });
    expect(await login(bench(), "trader", first)).toBe("ok");
    expect(await login(bench(), "trader", second)).toBe("28P01");
    await serves();
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 1 });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
      ["ROLLBACK", 1],
    ]);
  });
});
