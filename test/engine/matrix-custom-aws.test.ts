import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { unwrapped } from "./cli-support";
import { configureCustom, customBench, keysOf, SECRET, working } from "./custom-support";
import { auditRows, stateOf, stored, up, useBench } from "./harness";
import { labelled } from "./labels";

describe("a credential of the user's own commands, kept in AWS Secrets Manager", () => {
  const bench = useBench(customBench({ store: "aws" }));
  const keys = () => keysOf(bench());
  const current = async () => (await stored<string>(bench(), SECRET)).value;

  beforeAll(() => configureCustom(bench()));
  afterAll(() => void vi.unstubAllEnvs());

  it("is issued, rotated by request and rolled back: both keys work, the store's labels and the log agree", async () => {
    const { stack } = bench();
    const wish = (id: string, more: object) =>
      stack.configure("request", { id, secret: SECRET, reason: "a test", ...more });
    await up(bench());
    await wish("new", { rotate: true });
    const preview = unwrapped((await stack.pulumi(["preview", "--diff"])).stdout);
    expect(preview).toContain("issues generation 2");
    await up(bench());
    expect(await labelled(bench(), SECRET)).toEqual({ current: keys()[2], previous: keys()[1] });

    await wish("back", { activate: 1 });
    await up(bench());
    expect(await current()).toBe(keys()[1]);
    // Generation 0 had to leave its slot.
    expect(await working(bench())).toEqual([false, true, true]);
    expect(await stateOf(bench(), SECRET)).toMatchObject({ slots: [2, 1], active: 1 });
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK"]);
    for (const key of keys()) expect(preview).not.toContain(key);
  });
});
