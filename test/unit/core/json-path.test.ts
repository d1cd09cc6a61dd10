import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyJson, holdsJson, isJsonPath, type Json, valueAtPath } from "../../../core/json-path";

const ANSWER = { account: { id: "A1", "api key": [{ value: 7 }] }, list: ["a", "b"] };

describe("a path of JSON", () => {
  it.each([
    ["$.account.id", "A1"],
    ['$.account["api key"][0].value', 7],
    ["$.list[1]", "b"],
    ["$.list[2]", undefined],
    ["$.list.length", undefined],
    ["$.account.id.length", undefined],
    ["$.account[0]", undefined],
    ["$.constructor", undefined],
    ["$.account.__proto__", undefined],
  ])("%s is %j", (path, value) => {
    expect(isJsonPath(path)).toBe(true);
    expect(valueAtPath(ANSWER, path)).toBe(value);
  });

  it.each(["", "$", "account.id", "$.a b", "$..id", "$.a[*]", "$.a[-1]", "$['a']", "$.a ", "$.a[?(@.b)]", "$.a[01]"])(
    "%j is none",
    (path) => expect(isJsonPath(path)).toBe(false),
  );

  it("whatever counts as one can be followed", () => {
    const text = fc.string({ unit: fc.constantFrom("\\", '"', "x", "u", "0", "n", "\t", "]", "[") });
    fc.assert(
      fc.property(text, (name) => {
        const path = `$["${name}"]`;
        if (isJsonPath(path)) expect(() => valueAtPath({}, path)).not.toThrow();
      }),
    );
  });

  it("leads to every value of any JSON, whatever its keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const walk = (at: unknown, path: string) => {
          if (path !== "$" && isJsonPath(path)) expect(valueAtPath(value, path)).toBe(at);
          if (Array.isArray(at)) for (const [index, part] of at.entries()) walk(part, `${path}[${index}]`);
          else if (typeof at === "object" && at !== null)
            for (const key of Object.keys(at))
              walk((at as Record<string, unknown>)[key], `${path}[${JSON.stringify(key)}]`);
        };
        walk(value, "$");
      }),
    );
  });
});

describe("what JSON holds", () => {
  it("is itself, and any part of it", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => holdsJson(value, JSON.parse(JSON.stringify(value)) as Json)));
    expect(holdsJson(ANSWER, { account: { id: "A1" } })).toBe(true);
    expect(holdsJson(ANSWER, { list: ["a"] })).toBe(true);
  });

  it.each<Json>([{ account: { id: "A2" } }, { account: [] }, { list: { 0: "a" } }, { other: null }, "A1", null])(
    "is not %j",
    (wanted) => expect(holdsJson(ANSWER, wanted)).toBe(false),
  );

  it("is nothing in what is no object", () => {
    for (const value of [null, undefined, "text", 7, true])
      for (const wanted of [{}, [], { length: 4 }] as Json[]) expect(holdsJson(value, wanted)).toBe(false);
    expect(valueAtPath({ list: null }, "$.list.id")).toBeUndefined();
    expect(valueAtPath(null, "$.id")).toBeUndefined();
  });

  it("is any JSON in a config, also null and false", () => {
    for (const value of [null, false, 0, "", [], {}]) expect(anyJson.safeParse(value).success).toBe(true);
    expect(anyJson.safeParse(undefined).success).toBe(false);
  });
});
