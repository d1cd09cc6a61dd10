import { describe, expect, it } from "vitest";
import type { PreviousSecret } from "../../../components/previous-secrets";
import { assertReadable } from "../../../components/shape-change";
import type { DocumentConfig } from "../../../core/document-settings";
import { writtenBefore } from "../../../stores/entries";

const KEYS = { user: "{username}", pass: "{password}" };
const shape = { path: "database/trader", keys: KEYS };
const left = (more: object = {}) => ({ state: {}, ...more }) as unknown as PreviousSecret;
const asJson = left({ shape });
const asBoth = left({ shape: { ...shape, beside: true } });
const secret = (format?: DocumentConfig["format"], more: object = {}): DocumentConfig => ({
  ...{ name: "database/password", format },
  ...more,
});

describe("a change of the format", () => {
  it.each([
    ["value to json", secret("json"), shape, left()],
    ["json to value", secret(), undefined, asJson],
  ])("is refused with the way that leaves no reader behind: %s", (_, config, now, was) => {
    expect(() => assertReadable(config, now, was)).toThrow(
      /format changed from (value|json) to (json|value): .*Set `format: both`.*move the services; then.*Nothing was changed/,
    );
  });

  it.each([
    ["a new secret", secret("json"), shape, undefined],
    ["the same", secret("json"), shape, asJson],
    ["values as ever", secret(), undefined, left()],
    ["value to both", secret("both"), shape, left()],
    ["both to json", secret("json"), shape, asBoth],
    ["both to value", secret("value"), undefined, asBoth],
    ["another path", secret("json"), { ...shape, path: "database/other", keys: {} }, asJson],
    ["a key more", secret("json"), { ...shape, keys: { ...KEYS, host: "db" } }, asJson],
  ])("passes: %s", (_, config, now, was) => {
    expect(() => assertReadable(config, now, was)).not.toThrow();
  });
});

describe("a key that the config no longer has", () => {
  const now = { path: shape.path, keys: { username: "{username}", pass: "{password}" } };
  it("is refused by name, until the config says that it is removed", () => {
    expect(() => assertReadable(secret("json"), now, asJson)).toThrow(
      /no longer has the key `user` of database\/trader, .*extras: \{ user: \{username\} \}.*removedKeys: \[user\]/,
    );
    expect(() => assertReadable(secret("json", { removedKeys: ["user"] }), now, asJson)).not.toThrow();
  });
});

describe("the entries that the store must hold before an update", () => {
  const document = { path: shape.path, fields: { pass: { value: "p" } } };
  const value = { path: "database/password", value: "p" };
  it.each([
    ["values as ever", secret(), undefined, [value]],
    ["a new secret with a document", secret("json"), undefined, [document]],
    ["a document that comes beside the values", secret("both"), undefined, [value]],
    ["values that come beside a document", secret("both"), shape, [document]],
    ["both, as before", secret("both"), { ...shape, beside: true as const }, [document, value]],
    [
      "a document that moves to another path",
      secret("both"),
      { ...shape, path: "a/b", beside: true as const },
      [value],
    ],
  ])("%s", (_, config, kept, expected) => {
    const there = [
      ...(config.format === "json" || config.format === "both" ? [document] : []),
      ...(config.format === "json" ? [] : [value]),
    ];
    expect(writtenBefore<string>(there, config, kept)).toEqual(expected);
  });
});
