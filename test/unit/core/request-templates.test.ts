import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../core/json-path";
import { fieldsOf, mapTexts } from "../../../core/request-templates";

describe("the templates of a request", () => {
  it("are in its address, its headers, its login and its body, and each field is found", () => {
    expect(
      fieldsOf({
        url: "https://api.example.com/{a}",
        headers: { Authorization: "Bearer {b}" },
        basicAuth: "{c}:{d}",
        json: { list: [{ "{no}": "{e}" }, 7, null, true] },
        form: { token: "{f}" },
      }),
    ).toEqual(["a", "b", "c", "d", "f", "e"]);
    expect(fieldsOf({ url: "https://api.example.com", headers: {} })).toEqual([]);
  });

  it("may name only what is known", () => {
    const request = { url: "https://api.example.com", headers: {}, json: ["{other}"] };
    expect(() => fieldsOf(request, ["key"])).toThrow(/other/);
    expect(fieldsOf(request, ["other"])).toEqual(["other"]);
  });

  it("change the texts of any JSON, and nothing else of it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        expect(mapTexts(json, (text) => text)).toEqual(json);
        const seen: string[] = [];
        const marked = mapTexts(json, (text) => {
          seen.push(text);
          return `<${text}>`;
        });
        const back = mapTexts(marked, (text) => {
          expect(text).toMatch(/^<.*>$/s);
          return text.slice(1, -1);
        });
        expect(back).toEqual(json);
        expect(seen).toEqual(textsIn(json));
      }),
    );
  });
});

/** The texts of JSON, in their order, keys left out. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
