import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprinted, matchesIn } from "../../../core/fingerprints";

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
