import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { worstOf } from "../../../cli/perform-stacks";
import type { RunLine } from "../../../cli/render/run-lines";
import { lineInWords, type StackResult, summary } from "../../../cli/render/stacks";

const common = { time: "2026-11-30T02:00:00.000Z", run: "5f0c1c4e-7f0e-4c55-9d0b-0f8c1d1b3a11", stack: "prod-1" };
const done = {
  ...{ ...common, type: "result", outcome: "done", notes: [], next: [], seconds: 9.1 },
  secrets: [{ secret: "database/password", action: "ROTATE", from: 3, to: 4, missing: [] }],
} as StackResult["line"] & RunLine;

describe("one run for each of many stacks", () => {
  it("says what acts, restarts, warns or ended, and leaves the rest to machines", () => {
    const said = (line: object) => lineInWords({ ...common, ...line } as RunLine);
    expect(said({ type: "step", text: "preview" })).toBeUndefined();
    expect(said({ type: "plan", secret: "a", headline: "a: rotates", action: "ROTATE" })).toBe("a: rotates");
    expect(said({ type: "plan", secret: "a", headline: "a: nothing", action: null })).toBeUndefined();
    expect(said({ type: "phase", secret: "a", phase: "store", state: "begins" })).toBeUndefined();
    expect(said({ type: "phase", secret: "a", phase: "store", state: "failed" })).toBe("a: store failed");
    const restart = { type: "restart", secret: "a", service: "orders", state: "begins" };
    expect(said({ ...restart, host: "app-1" })).toBe("a: restarting orders on app-1");
    expect(said({ ...restart, host: null })).toBe("a: restarting orders");
    expect(said({ ...restart, host: null, state: "done" })).toBeUndefined();
    const finding = { type: "finding", secret: null, source: "program", text: "open market" };
    expect(said({ ...finding, level: "warning" })).toBe("warning: open market");
    expect(said({ ...finding, level: "info" })).toBeUndefined();
    expect(said({ type: "note", text: "a lock" })).toBe("note: a lock");
    expect(said({ type: "result", outcome: "nothing due", notes: [] })).toBe("Nothing is due.");
    expect(lineInWords(done)).toBe("done database/password: rotated to generation 4 (was 3)\n9.1 s");
  });

  it("ends with one line for each stack, and how many ended well", () => {
    const results: StackResult[] = [
      { stack: "prod-1", exitCode: 0, seconds: 12.34, line: done },
      { stack: "prod-2", exitCode: 2, seconds: 0.4 },
      { stack: "prod-3", exitCode: 130, outcome: "not begun" },
    ];
    expect(summary(results).split("\n")).toEqual([
      "STACK   RESULT                  SECRETS                     TIME",
      "prod-1  done                    database/password 3 -> 4  12.3 s",
      "prod-2  ended with exit code 2                             0.4 s",
      "prod-3  not begun",
      "",
      "1 of 3 stacks ended well.",
    ]);
  });

  it("fails if one failed, and else ends with the worst code", () => {
    const codes = fc.array(fc.constantFrom(0, 1, 2, 3, 130, 143), { minLength: 1 });
    fc.assert(
      fc.property(codes, (all) => {
        const worst = worstOf(all);
        expect(all).toContain(worst);
        if (all.includes(1)) expect(worst).toBe(1);
        else if (all.includes(2)) expect(worst).toBe(2);
        expect(worst === 0).toBe(all.every((code) => code === 0));
      }),
    );
  });
});
