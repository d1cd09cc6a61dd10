import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonMembers, jsonObject } from "../../../core/json-members";
import { changedMarks } from "../../../core/store-content";
import { awsContent } from "../../../stores/aws/content";
import { mergedVaultData, vaultContent } from "../../../stores/vault/content";

const json = fc.oneof(
  fc.json(),
  fc.constantFrom("12345678901234567890", "1.0", "1e400", "-0", '"\\u00e9\\\\"', "[ ]", "{ }"),
);
const space = fc.constantFrom("", " ", "\n", "\t ");

/** An object as text, with the texts of its members and spaces that mean nothing. */
const documents = fc
  .tuple(fc.uniqueArray(fc.tuple(fc.string(), json), { selector: ([key]) => key }), space, space)
  .map(([members, a, b]) => ({
    members,
    text: `${a}{${b}${members.map(([key, value]) => `${JSON.stringify(key)}${b}:${a}${value}${b}`).join(`,${a}`)}${a}}${b}`,
  }));

describe("the members of a JSON object", () => {
  it("keep the text that they were written in, byte for byte", () =>
    fc.assert(
      fc.property(documents, ({ members, text }) => {
        const found = jsonMembers(text);
        expect([...found]).toEqual(members.map(([key, value]) => [key, value.trim()]));
        expect(JSON.parse(jsonObject(found))).toEqual(JSON.parse(text));
      }),
    ));

  it("are refused if there is no object", () => {
    for (const text of ["{", ""]) expect(() => jsonMembers(text)).toThrow(SyntaxError);
    for (const text of ["[1]", "null", '"a"', "5", '[{"a":1}]'])
      expect(() => jsonMembers(text)).toThrow(new SyntaxError("expected an object"));
  });
});

describe("a write into a document of Vault", () => {
  const OURS = ["value", "generation", "request"];

  it("keeps every key of others byte for byte, and is read back as what was written", () =>
    fc.assert(
      fc.property(
        documents,
        fc.string(),
        fc.option(fc.nat(), { nil: undefined }),
        ({ members, text }, value, generation) => {
          const merged = mergedVaultData(text, value, generation);
          const after = jsonMembers(merged);
          for (const [key, raw] of members.filter(([name]) => !OURS.includes(name)))
            expect(after.get(key)).toBe(raw.trim());
          const before = members.find(([key]) => key === "generation")?.[1];
          const kept = before === undefined ? undefined : String(JSON.parse(before));
          expect(vaultContent(merged)).toEqual({
            kind: "value",
            value,
            generation: generation === undefined ? kept : String(generation),
          });
          expect(mergedVaultData(merged, value, generation)).toBe(merged);
        },
      ),
    ));

  it("loses nothing of what people keep there, and drops what an earlier version of this program left", () => {
    const document = '{"value":"old","host":"db","port":5432,"id":12345678901234567890,"request":"leak-17"}';
    expect(mergedVaultData(document, "new", 3)).toBe(
      '{"value":"new","host":"db","port":5432,"id":12345678901234567890,"generation":"3"}',
    );
    expect(mergedVaultData(undefined, "new", undefined)).toBe('{"value":"new"}');
    for (const none of ["null", " null\n"])
      expect(mergedVaultData(none, "new", 1)).toBe('{"value":"new","generation":"1"}');
  });
});

describe("what Vault holds", () => {
  const why = (document: unknown) => {
    const content = vaultContent(JSON.stringify(document));
    return content.kind === "value" ? content.value : `${content.kind}: ${content.why}`;
  };

  it.each([
    [{ value: "s3cret", host: "db" }, "s3cret"],
    [{ value: "" }, ""],
    [{}, "empty: the document is empty"],
    [null, "empty: it has no data"],
    ["text", "empty: it has no data"],
    [
      { username: "trader", password: "s3cret", host: "db" },
      "unusable: it is there under the key `password` (keys: `username`, `password`, `host`); expected the key `value`",
    ],
    [
      { api_key: "s3cret" },
      "unusable: it is there under the key `api_key` (keys: `api_key`); expected the key `value`",
    ],
    [{ a: "s3cret", b: 1 }, "unusable: it has the keys `a`, `b`; expected the key `value`"],
    [{ user: "trader" }, "unusable: it has the keys `user`; expected the key `value`"],
    [{ password: "s3cret", token: "t" }, "unusable: it has the keys `password`, `token`; expected the key `value`"],
    [{ value: 5 }, "unusable: its key `value` holds a number; expected a text"],
    [{ value: { password: "s3cret" } }, "unusable: its key `value` holds an object; expected a text"],
    [{ value: null }, "unusable: its key `value` holds null; expected a text"],
    [{ value: ["s3cret"] }, "unusable: its key `value` holds an array; expected a text"],
  ])("%j", (document, expected) => {
    expect(why(document)).toBe(expected);
  });
});

describe("what AWS holds", () => {
  it.each([
    ["s3cret", "s3cret"],
    ["12345", "12345"],
    ['"quoted"', '"quoted"'],
    ["{not json", "{not json"],
    ["null", "null"],
  ])("%j is a text", (text, value) => {
    expect(awsContent(text)).toEqual({ kind: "value", value, generation: undefined });
  });

  it.each([
    [
      '{"engine":"postgres","username":"trader","password":"s3cret"}',
      "it is JSON: it is there under the key `password` (keys: `engine`, `username`, `password`); expected the bare text of the value",
    ],
    ["[1]", "it is a JSON array; expected the bare text of the value"],
    ["{}", "it is JSON: an empty object; expected the bare text of the value"],
    [undefined, "it holds binary data; expected the bare text of the value"],
  ])("%j is none", (text, why) => {
    expect(awsContent(text)).toEqual({ kind: "unusable", why });
  });

  it("says no value of a document that it cannot read", () =>
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("password", "a", "value", "key"), fc.constant("s3cret-value")),
        (document) => {
          const text = JSON.stringify(document);
          expect(JSON.stringify(awsContent(text))).not.toContain("s3cret-value");
          const content = vaultContent(text);
          if (content.kind !== "value") expect(content.why).not.toContain("s3cret-value");
        },
      ),
    ));
});

describe("marks beside a value", () => {
  const names = fc.constantFrom("owner", "cmdb", "status", "generation", "grace_until", "deprecated_label");
  const marks = fc.dictionary(names, fc.string());

  it("ours are as they should be, ours that are over are gone, those of others are what they were", () =>
    fc.assert(
      fc.property(
        marks,
        fc.dictionary(fc.constantFrom("status", "generation", "grace_until"), fc.string()),
        (found, says) => {
          const changed = changedMarks(found, says);
          const after = Object.fromEntries(
            Object.entries({ ...found, ...changed }).filter((mark): mark is [string, string] => mark[1] !== null),
          );
          for (const name of ["owner", "cmdb"]) expect(after[name]).toBe(found[name]);
          const { owner: _o, cmdb: _c, ...ours } = after;
          expect(ours).toEqual(says);
          expect(changedMarks(after, says)).toEqual({});
        },
      ),
    ));
});
