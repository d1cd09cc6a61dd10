import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeakSearch, leaksIn } from "./forms";

const secret = fc.string({ minLength: 6, maxLength: 60, unit: "grapheme-ascii" });

describe("the search for credentials", () => {
  it("finds one in whatever form, whatever is around it", () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const around = `${before}${value}${after}`;
        for (const text of [
          around,
          encodeURIComponent(around),
          JSON.stringify(around),
          Buffer.from(around).toString("base64"),
          Buffer.from(around).toString("base64url"),
          Buffer.from(around).toString("hex"),
        ]) {
          expect(leaksIn(text, { it: value }), text).toEqual(["it"]);
        }
      }),
    );
  });

  it("finds one in bytes that are no text, at either end of them", () => {
    const search = new LeakSearch({ it: "hunter22" });
    expect(search.in(Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from("hunter22")]))).toEqual(["it"]);
    expect(search.in(Buffer.from("hunter22"))).toEqual(["it"]);
    expect(search.in(Buffer.from("hunter2"))).toEqual([]);
  });

  it("tells many apart, and finds none in what has none", () => {
    const search = new LeakSearch({ one: "hunter22", two: "hunter23", three: "it's %!" });
    expect(search.in("x hunter23 y it%27s%20%25! z it's%20%25!")).toEqual(["two", "three"]);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(new LeakSearch({ it: "a-credential-that-nobody-has" }).in(text)).toEqual([]);
      }),
    );
  });
});
