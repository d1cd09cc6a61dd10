import { describe, expect, it } from "vitest";
import { auditRows, setDay, stateOf, stored, up, useBench } from "./harness";
import { AT_ONCE, adoptHint, DUE, FIRST, SETTINGS, VALUE } from "./input-faults";
import {
  expectPreflightRefusal,
  expectReadable,
  expectRefusal,
  type Fault,
  platformOf,
  secretOf,
  withSettings,
} from "./input-support";

describe("what the preflight refuses, by plain `pulumi up`", () => {
  const bench = useBench();

  it.each(Object.entries(SETTINGS))("wrong settings, %s: one message, nothing changed", async (_, fault) => {
    const printed = await expectRefusal(bench(), fault);
    expect(printed).toContain("nothing was changed");
  });

  it.each(Object.entries(FIRST))("at first: %s", async (_, fault) => {
    await expectRefusal(bench(), {
      ...fault,
      says: ["preflight for database/password: ", "nothing was changed", ...fault.says],
    });
  });

  it("at first: a role that does not exist, in a preview", async () => {
    const { stack } = bench();
    const result = await withSettings(
      bench(),
      (settings) => Object.assign(secretOf(settings), { role: "tradr" }),
      () => stack.pulumi(["preview"]),
    );
    expect(result.exitCode).not.toBe(0);
    const printed = result.stdout + result.stderr;
    if (process.env.SHOW) console.log(printed);
    expect(printed).toContain("database/password: the role tradr does not exist; roles are adopted, never created");
    expectReadable(printed);
  });

  it("at first: an adopted value that is not what the store holds", async () => {
    const { lab } = bench();
    await lab.openbao.putSecret("paper/database/password", { value: VALUE });
    await expectRefusal(bench(), {
      says: ["1 of ", "current value: ", "database/password", "version 2", "is not what this stack wrote. ", adoptHint],
    });
    await lab.openbao.putSecret("paper/database/password", { value: String(lab.adopted["database/password"]) });
  });

  it("once all of that is right, adopts and rotates, with numbers and booleans as `pulumi config set --path` writes them", async () => {
    const { stack } = bench();
    const settings = {
      "policy.maxAge": "60d",
      "preflight.allowOpenMarket": "true",
      "request.id": "7",
      "request.secret": "database/password",
      "request.rotate": "true",
      "request.reason": "a test",
    };
    for (const [path, value] of Object.entries(settings)) {
      const { exitCode, stderr } = await stack.pulumi(["config", "set", "--plaintext", "--path", path, value]);
      expect(exitCode, stderr).toBe(0);
    }
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1, handledRequest: "7" });
    expect(await auditRows(bench())).toHaveLength(1);
    for (const key of ["policy", "preflight", "request"]) await stack.configure(key, undefined);
    await setDay(bench(), 89);
  });

  const whole = (fault: Fault): Fault => ({
    ...fault,
    says: ["preflight for database/password: ", "nothing was changed", ...fault.says],
  });

  it.each(Object.entries(DUE))("when due: %s", async (_, fault) => {
    await expectPreflightRefusal(bench(), whole(fault));
  });

  it("when due: many things at once, by plain `pulumi up`", async () => {
    await expectRefusal(bench(), whole(AT_ONCE));
  });

  it("when due: a rollback to a generation that neither slot holds, or whose value is not known", async () => {
    const request = { id: "back", secret: "database/password", reason: "a test" };
    await expectRefusal(bench(), {
      settings: (settings) => Object.assign(settings, { request: { ...request, activate: 7 } }),
      says: ["request back: database/password has no generation 7 in its slots; available: 0 (active now: 1)."],
    });
    await expectRefusal(bench(), {
      settings: (settings) => Object.assign(settings, { request: { ...request, activate: 0 }, adopted: {} }),
      says: [
        "database/password has no generation 0 in its slots; there is nothing to roll back to. Its value was never given: set the secret config key `adopted`.",
      ],
    });
  });

  it("once all of that is fixed, one update rotates: nothing was lost", async () => {
    const before = await stored(bench(), "database/password");
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0, step: { action: "ROTATE" } });
    expect((await stored(bench(), "database/password")).version).toBe(before.version + 1);
    const rows = await auditRows(bench());
    expect(rows.map(({ action, status }) => [action, status])).toEqual([
      ["ADOPT", "SUCCESS"],
      ["ROTATE", "SUCCESS"],
    ]);
    expect(rows.at(-1)?.outputs).toMatchObject({ overrides: [] });
  });

  it("allows an open market if the config says so, and the audit row says it", async () => {
    const { lab, stack } = bench();
    await setDay(bench(), 178);
    await stack.configure("preflight", { allowOpenMarket: true });
    lab.alpaca.paper.setMarket(true);
    await up(bench());
    const row = (await auditRows(bench())).at(-1);
    expect(row).toMatchObject({ action: "ROTATE", generation: 3 });
    expect(row?.outputs).toMatchObject({
      overrides: [expect.stringMatching(/^allowOpenMarket: the market was open until 20/)],
    });
    const { restarts } = await platformOf(bench());
    expect(restarts).toEqual([6]);
  });
});
