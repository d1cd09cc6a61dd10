import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprinted, formsIn, matchesIn } from "../../../core/fingerprints";

const KEY = Buffer.alloc(32, 7).toString("base64");
const VALUE = "k#3vQ:z9/Lp=Aa+0!xW%2fRt";
const known = fingerprinted(KEY, [
  { generation: 4, part: "password", username: "trader_b", value: VALUE },
  { generation: 3, part: "password", username: "trader_a", value: "another one of the same" },
]);
const found = (text: string, key = KEY) => matchesIn(text, key, known).map(({ of, value }) => [of.generation, value]);

describe("a credential in a text", () => {
  it.each([
    ["alone", VALUE],
    ["in an assignment", `PASSWORD='${VALUE}'`],
    ["between other characters", `x${VALUE}y`],
    ["in a connection string", `postgres://trader:${encodeURIComponent(VALUE)}@db:5432/trader`],
    ["in JSON within a text", JSON.stringify({ password: VALUE })],
    ["in base64", Buffer.from(VALUE).toString("base64")],
    ["in a header", `Authorization: Basic ${Buffer.from(`trader:${VALUE}`).toString("base64")}`],
    ["on one of many lines", `${"line\n".repeat(50)}a: ${VALUE}\n`],
  ])("is found %s", (_, text) => {
    expect(found(text)).toEqual([[4, VALUE]]);
  });

  it("is not found with another key, nor a part of it, nor in what is random", () => {
    expect(found(VALUE, Buffer.alloc(32, 8).toString("base64"))).toEqual([]);
    expect(found(VALUE.slice(1))).toEqual([]);
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => found(text).length === 0));
  });

  it("leaves nothing of its value but its length", () => {
    expect(known[0]).toEqual({
      generation: 4,
      part: "password",
      username: "trader_b",
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      length: VALUE.length,
    });
  });
});

describe("what is searched for", () => {
  const of = (value: string) => fingerprinted(KEY, [{ generation: 1, part: "password", username: null, value }]);
  const occurs = (value: string, text: string) => matchesIn(text, KEY, of(value)).length > 0;

  it("has six characters or more, at any place of a text", () => {
    expect(occurs("abcdef", "abcdef")).toBe(true);
    expect(occurs("abcde", "abcde")).toBe(false);
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{6,20}$/), fc.string(), fc.string(), (value, before, after) => {
        expect(occurs(value, `${before}${value}${after}`)).toBe(true);
      }),
    );
  });

  it("may hold single spaces; a line or a run of spaces is never a part of it", () => {
    expect(occurs("correct horse battery", "is correct horse battery now")).toBe(true);
    expect(occurs("correct  horse", "correct  horse")).toBe(false);
    expect(occurs("correct\nhorse", "correct\nhorse")).toBe(false);
  });

  it("is read in a URL's codes, several bytes of one letter together; a wrong code is left as it is", () => {
    expect(occurs("pässwörd", "user:p%C3%A4ssw%C3%B6rd@db")).toBe(true);
    expect(formsIn("100%")).toEqual(new Set(["100%"]));
    expect(formsIn("%FF and %41")).toEqual(new Set(["%FF and %41", "%FF and A"]));
  });

  it("is read in base64 only if it is a text", () => {
    const [text, bytes] = [Buffer.from("secret-1"), Buffer.from([0, 200, 201, ...Buffer.from("secret")])];
    expect(formsIn(text.toString("base64"))).toContain("secret-1");
    expect(formsIn(bytes.toString("base64")).size).toBe(1);
    expect(formsIn(Buffer.from("secret\0\0\0").toString("base64")).size).toBe(1);
    expect(formsIn("a b c")).toEqual(new Set(["a b c"]));
  });
});
