import fc from "fast-check";
import { expect, it } from "vitest";
import { bounded } from "../../../core/bounded";

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

it("an answer that one variable of the environment takes stays as it is", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()))), (answer) => {
      expect(bounded(answer)).toBe(answer);
    }),
  );
});

it("of a longer one the lists for people are cut, and nothing that a later step reads", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 900, max: 3000 }), (sessions, readers) => {
      const oldSessions = Array.from({ length: sessions }, (_, pid) => pid);
      const row = (reader: number) => ({ reader: `signal-service on trading-${reader}`, login: "ok".repeat(60) });
      const rehearsal = Array.from({ length: readers }, (_, reader) => row(reader));
      const warnings = rehearsal.map(({ reader }) => `not rehearsed: ${reader}`);
      const answer = { activation: "3", oldSessions, rehearsal, warnings };
      const short = bounded(answer) as typeof answer;
      expect(short).toMatchObject({ activation: "3", oldSessions });
      expect(short.rehearsal).toEqual(rehearsal.slice(0, 50));
      expect(short.warnings).toEqual([...warnings.slice(0, 50), `and ${readers - 50} more`]);
      expect(bytes(short)).toBeLessThan(bytes(answer));
      expect(bytes(short)).toBeLessThan(128 * 1024);
    }),
  );
});

const MOST = 96 * 1024;
/** An answer of exactly so many bytes, with these lists. */
const answerOf = (size: number, lists: object) => {
  const rest = size - bytes({ ...lists, text: "" });
  return { ...lists, text: "x".repeat(rest) };
};

it("the longest answer that stays whole has 96 KiB, and a list of 50 is never cut", () => {
  const checks = Array.from({ length: 51 }, (_, index) => `check ${index}`);
  const whole = answerOf(MOST, { checks });
  expect(bounded(whole)).toBe(whole);
  expect(bounded(answerOf(MOST + 1, { checks })).checks).toEqual([...checks.slice(0, 50), "and 1 more"]);
  const fifty = answerOf(MOST + 1, { checks: checks.slice(0, 50), warnings: checks.slice(0, 3) });
  expect(bounded(fifty)).toEqual(fifty);
});

it("only a list of texts says how much was left out", () => {
  const mixed = ["a text", ...Array.from({ length: 60 }, (_, index) => ({ index }))];
  expect(bounded(answerOf(MOST + 1, { rehearsal: mixed })).rehearsal).toEqual(mixed.slice(0, 50));
});
