import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAULTS, type Fault } from "./faults";
import { noStage, Stage } from "./stage";

const missing = noStage();
if (missing !== undefined) console.warn(`skipped: the rehearsal's faults; ${missing}`);

const source = (pattern: RegExp | string) =>
  typeof pattern === "string" ? pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&") : pattern.source;

describe.skipIf(missing !== undefined)("a rehearsal", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(async () => stage?.close());

  const expected = ({ names: [reader, path, what] }: Fault) => {
    const at = path
      .replace("STANDBY", String(stage.standbyPort))
      .replace("POOLER", String(stage.pooler.port))
      .replace("PRIMARY", String(stage.primary.port));
    return new RegExp(`${source(reader)} over ${source(at)}: .*${what.source}`, "s");
  };
  const clean = async () => {
    await stage.caughtUp();
    const found = await stage.run();
    if (typeof found === "string") throw new Error(found);
    return found;
  };

  it("finds nothing on a platform without a fault, and sees each host's own address", async () => {
    const { rehearsal, warnings } = await clean();
    expect(warnings).toBeUndefined();
    expect(rehearsal.map(({ verdict }) => verdict)).toEqual(rehearsal.map(() => "ok"));
    expect(rehearsal).toHaveLength(3 + 2 + 3 + 3);
    const at = (reader: string, path: string) => rehearsal.find((row) => row.reader === reader && row.path === path);
    expect(at("signal-service on trading-2", "primary")?.login).toBe("trader_b logs in from 127.0.0.3");
    expect(at("execution-gateway on trading-1", "primary")?.login).toBe("trader_b logs in from 127.0.0.2");
    expect(at("execution-gateway on trading-1", "store")?.store).toBe("database/password version 1");
    expect(at("signal-service on trading-2", "primary")?.rights).toMatch(
      /^as trader_a: \d+ settings, 3 roles, rights in 2 schemas$/,
    );
  });

  it.each(FAULTS)("names it before anything changes: $name", async (fault) => {
    await fault.inject(stage);
    try {
      const given = stage.input();
      fault.input?.(given, stage);
      const found = await stage.run(given);
      expect(found, JSON.stringify(found)).toMatch(expected(fault));
    } finally {
      await fault.undo(stage);
    }
    await clean();
  });
});
