import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldsOf, isOfFields } from "../../../core/document";
import { documentShape } from "../../../core/document-settings";
import { rendered } from "../../../core/template";
import { recognisePassword } from "../../../kinds/own-password/recognise";

const recognise = (document: object) => recognisePassword(JSON.stringify(document), "trader");

describe("a JSON document of others", () => {
  it.each([
    [
      { engine: "postgres", host: "db", port: 5432, dbname: "trader", username: "trader", password: "s3cret" },
      { format: "json", keys: { username: "username", password: "password" } },
    ],
    [
      { user: "trader", pass: "s3cret", owner: "desk" },
      { format: "json", keys: { username: "user", password: "pass" } },
    ],
    [
      { DATABASE_URL: "postgresql+psycopg://trader:s3cret@db:5432/trader?sslmode=require" },
      {
        format: "json",
        keys: {},
        extras: { DATABASE_URL: "postgresql+psycopg://{username}:{password}@db:5432/trader?sslmode=require" },
      },
    ],
    [
      { db_user: "trader", db_password: "s3cret", url: "postgres://trader:s3cret@db/trader", PASS: "s3cret" },
      {
        format: "json",
        keys: { username: "db_user", password: "db_password" },
        extras: { url: "postgres://{username}:{password}@db/trader", PASS: "{password}" },
      },
    ],
  ])("is recognised: %j", (document, config) => {
    expect(recognise(document)).toEqual({ value: "s3cret", config, unclear: [] });
  });

  it.each([
    ["no key that sounds like a password", { a: "s3cret", user: "trader" }],
    ["two passwords", { password: "one", passwd: "two" }],
    ["a URL with another one", { password: "one", url: "postgres://trader:two@db/trader" }],
    ["a password that is no text", { password: 5 }],
    ["an empty one", { password: "" }],
  ])("is not guessed: %s", (_, document) => {
    expect(recognise(document)).toBeUndefined();
  });

  it("a key that contains the password in another form is named: it would keep the old one", () => {
    expect(recognise({ password: "s3cret", dsn: "user=trader password=s3cret" })?.unclear).toEqual(["dsn"]);
  });

  it("is what the recognised config writes for that credential, whatever the password", () =>
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii", minLength: 1 }), (password) => {
        const document = {
          user: "trader",
          pass: password,
          url: `postgres://trader:${encodeURIComponent(password)}@db/x`,
        };
        const found = recognise(document);
        expect(found?.value).toBe(password);
        const shape = documentShape(
          { name: "a/b", ...(found?.config as { format: "json" }) },
          {
            ...{ parts: ["username", "password"], needed: [], given: {} },
          },
        );
        if (shape === undefined) throw new Error("no shape");
        const fields = fieldsOf(shape, { username: "trader" }, (template) =>
          String(rendered(template, { username: "trader", password })),
        );
        expect(isOfFields(JSON.stringify(document), fields)).toBe(true);
      }),
    ));
});
