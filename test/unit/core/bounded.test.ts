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
