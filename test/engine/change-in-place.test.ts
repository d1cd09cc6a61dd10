import { describe, expect, it } from "vitest";
import { labConfig } from "../../dev/lab/deploy";
import { auditRows, login, refusedUp, stateOf, stored, up, useBench } from "./harness";

const single = { "database/password": "single-user" } as const;

describe("a change of strategy", () => {
  const bench = useBench({ strategies: single });

  it("is refused in place, and works by taking the secret out and adopting it anew", async () => {
    await up(bench());
    const before = await stored(bench(), "database/password");
    const secrets = (strategies: typeof single | undefined) =>
      labConfig({ lab: bench().lab, ...(strategies ? { strategies } : {}) }).secrets;

    await bench().stack.configure("secrets", secrets(undefined));
    expect(await refusedUp(bench())).toContain(
      "strategy changed from single-user to alternating-users, which cannot be done in place",
    );
    expect(await stored(bench(), "database/password")).toEqual(before);

    await bench().stack.configure("secrets", []);
    await bench().stack.configure("adopted", undefined);
    await up(bench());
    expect(await login(bench(), "trader", before.value)).toBe("ok");
    expect(await stored(bench(), "database/password")).toEqual(before);

    await bench().stack.configure("secrets", secrets(undefined));
    await bench().stack.configureSecret("adopted", JSON.stringify({ "database/password": before.value }));
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], step: { action: "ADOPT" } });
    expect(await login(bench(), "trader_b", (await stored(bench(), "database/password")).value)).toBe("ok");
    expect(await login(bench(), "trader", before.value)).toBe("ok");
    // The second ADOPT is a row of its own, though its step has the same number as the first.
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ADOPT"]);
  });
});
