import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { table, WIDTH, wrap } from "../../../cli/render/table";

const widest = (text: string) => Math.max(...text.split("\n").map((line) => stripVTControlCharacters(line).length));
const word = fc.stringMatching(/^[a-z0-9/_-]{1,120}$/);
const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(" "));

describe("tables", () => {
  it("never pass 80 columns and lose nothing, whatever the cells hold", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, fc.nat(9999)), { minLength: 1, maxLength: 6 }), (rows) => {
        const columns = [
          { title: "A", flexible: true },
          { title: "B", flexible: true },
          { title: "N", align: "right" as const },
        ];
        const drawn = table(
          columns,
          rows.map(([a, b, n]) => [a, b, String(n)]),
        );
        expect(widest(drawn)).toBeLessThanOrEqual(WIDTH);
        const letters = (value: string) => [...value.replace(/\s/g, "")].sort().join("");
        expect(letters(drawn)).toBe(letters(`ABN${rows.flat().join("")}`));
      }),
    );
  });

  it("paint each line of a wrapped cell by itself, and pad by what is seen", () => {
    const [red, off] = ["\x1b[31m", "\x1b[39m"];
    const columns = [
      { title: "A", flexible: true },
      { title: "N", align: "right" as const },
    ];
    expect(table(columns, [[`${red}one two three${off}`, "7"]], 11).split("\n")).toEqual([
      "A         N",
      `${red}one two${off}   7`,
      `${red}three${off}`,
    ]);
  });

  it("takes as many rows as a log has", () => {
    const rows = Array.from({ length: 130_000 }, (_, index) => ["database/password", String(index)]);
    const columns = [
      { title: "SECRET", flexible: true },
      { title: "ROW", align: "right" as const },
    ];
    expect(table(columns, rows).split("\n").at(-1)).toBe("database/password  129999");
  });

  it("wrap keeps every word and the width", () => {
    fc.assert(
      fc.property(text, fc.nat(8), (given, indent) => {
        const lines = wrap(given, " ".repeat(indent));
        expect(widest(lines)).toBeLessThanOrEqual(WIDTH);
        expect(lines.replace(/\s/g, "")).toBe(given.replace(/\s/g, ""));
      }),
    );
  });
});
