import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  documentEntry,
  fieldsOf,
  holdsFields,
  isOfFields,
  keptShape,
  mergedDocument,
  sameText,
  shapesOf,
} from "../../../core/document";
import { documentProblems, documentShape } from "../../../core/document-settings";
import { jsonMembers } from "../../../core/json-members";
import { rendered, type Scalar } from "../../../core/template";

const AWS = {
  path: "database/trader",
  keys: {
    ...{ engine: "postgres", host: "db", port: 5432, dbname: "trader", username: "{username}", password: "{password}" },
    url: "postgresql://{username|url}:{password|url}@db:5432/trader",
  },
};
const fields = (username: string, password: string) =>
  fieldsOf(AWS, { username }, (template) => String(rendered(template, { username, password })));

describe("the fields of a document", () => {
  it("are what Amazon RDS Proxy and AWS's own rotation expect, with a port that is a number", () => {
    const { url, ...rotation } = JSON.parse(mergedDocument(undefined, fields("trader_a", "p@ss"), [])) as Record<
      string,
      unknown
    >;
    expect(rotation).toEqual({
      ...{ engine: "postgres", host: "db", port: 5432, dbname: "trader", username: "trader_a", password: "p@ss" },
    });
    expect(url).toBe("postgresql://trader_a:p%40ss@db:5432/trader");
  });

  it("are secret exactly if the password is in them", () => {
    const secret = Object.entries(fields("trader_a", "p")).flatMap(([key, field]) => (field.public ? [] : [key]));
    expect(secret).toEqual(["password", "url"]);
  });
});

const scalars = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const theirs = fc.dictionary(
  fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
  fc.jsonValue(),
);

describe("a write into a document", () => {
  it("sets our keys, removes what was ours, and keeps every key of others byte for byte", () =>
    fc.assert(
      fc.property(theirs, fc.dictionary(fc.constantFrom("user", "pass", "url"), scalars), (others, ours) => {
        const before = JSON.stringify(others);
        const given = Object.fromEntries(Object.entries(ours).map(([key, value]) => [key, { value }]));
        const merged = mergedDocument(before, given, ["old"]);
        const after = jsonMembers(merged);
        for (const [key, raw] of jsonMembers(before))
          if (key !== "old" && !Object.hasOwn(ours, key)) expect(after.get(key)).toBe(raw);
        expect(holdsFields(merged, given, ["old"])).toBe(true);
        expect(mergedDocument(merged, given, ["old"])).toBe(merged);
      }),
    ));

  it("leaves one that is ours; another value in any key of ours makes it foreign", () => {
    const merged = mergedDocument('{"owner":"desk"}', fields("a", "p"), []);
    expect(isOfFields(merged, fields("a", "p"))).toBe(true);
    expect(isOfFields(merged, fields("a", "q"))).toBe(false);
    for (const key of Object.keys(AWS.keys)) {
      const other = mergedDocument(merged, { [key]: { value: "by hand" } }, []);
      expect(isOfFields(other, fields("a", "p")), key).toBe(false);
      expect(holdsFields(other, fields("a", "p"), []), key).toBe(false);
    }
  });

  it("a key that is missing, a port as text and an address encoded otherwise are still ours; without the secret none is", () => {
    const ours = fields("a", "p!");
    expect(isOfFields('{"username":"a","password":"p!","port":"5432"}', ours)).toBe(true);
    expect(isOfFields('{"url":"postgresql://a:p%21@db:5432/trader"}', ours)).toBe(true);
    expect(isOfFields('{"url":"postgresql://a:p!@db:5432/trader"}', ours)).toBe(true);
    expect(isOfFields('{"username":"a","host":"db"}', ours)).toBe(false);
    expect(sameText("x://a:b%3A@c", "x://a:b:@c")).toBe(false);
  });
});

describe("a changed shape", () => {
  const now = { path: "a/b", keys: { user: "{username}", pass: "{password}" } };
  it("may still be in the store as it was, until it is changed again; what is kept does not depend on the order of keys", () => {
    expect(shapesOf(now, undefined)).toEqual([now]);
    const kept = keptShape(shapesOf(now, undefined), false);
    expect(shapesOf({ ...now, keys: { pass: "{password}", user: "{username}" } }, kept)).toHaveLength(1);
    const next = { path: "a/b", keys: { ...now.keys, host: "db" } };
    const second = keptShape(shapesOf(next, kept), false);
    expect(second).toEqual({ ...next, former: now });
    // The next update, with the same config, knows the same.
    expect(keptShape(shapesOf(next, second), false)).toEqual(second);
    expect(shapesOf({ ...next, path: "c/d" }, second)).toHaveLength(1);
  });
});

describe("the config of a document", () => {
  const KIND = { parts: ["username", "password"], needed: ["username", "password"], given: { host: "db", port: 5432 } };
  const secret = { name: "database/password", format: "json" as const };

  it("has the credential's own names by default, and exactly the named ones if some are named", () => {
    const shape = (more: object) => documentShape({ ...secret, ...more }, KIND)?.keys;
    expect(shape({})).toEqual({ username: "{username}", password: "{password}" });
    expect(shape({ keys: { password: "pass" }, extras: { user: "{username}", port: "{port}" } })).toEqual({
      ...{ pass: "{password}", user: "{username}", port: 5432 },
    });
    expect(documentShape({ name: "a/b" }, KIND)).toBeUndefined();
    const url: Record<string, Scalar> = { url: "x://{username}:{password}@{host}" };
    expect(shape({ keys: {}, extras: url })).toEqual({ url: "x://{username|url}:{password|url}@db" });
  });

  it.each([
    [{ extras: { a: "{pasword}" } }, ["extras", "a"], /expected a field \(one of username, password, host, port\)/],
    [{ extras: { a: "{password|md5}" } }, ["extras", "a"], /expected a filter \(one of url, libpq, json, raw\)/],
    [{ keys: { username: "a", password: "a" } }, ["keys"], /found a twice/],
    [{ extras: { password: "x" } }, ["keys"], /found password twice/],
    [{ keys: { username: "a" } }, ["keys"], /expected a key for password, or \{password\} in a template/],
    [{ removedKeys: ["password"] }, ["removedKeys"], /expected keys that are no longer written/],
    [{ format: "value", path: "a/b" }, ["path"], /expected only with format json or both/],
  ])("is refused if it cannot be written or read: %j", (more, path, message) => {
    const problems = documentProblems(2, { ...secret, ...(more as object) }, KIND);
    expect(problems.map((one) => one.path)).toContainEqual(["secrets", 2, ...path]);
    expect(problems.map((one) => one.message).join()).toMatch(message);
  });

  it("removes nothing by itself", () => {
    expect(documentEntry(AWS, undefined, {}, String)).not.toHaveProperty("removed");
    expect(documentEntry(AWS, ["old"], {}, String)).toHaveProperty("removed", ["old"]);
  });
});
