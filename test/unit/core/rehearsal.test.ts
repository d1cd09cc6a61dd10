import { describe, expect, it } from "vitest";
import { differencesOf, type Expected, rowWords, type SessionView } from "../../../core/rehearsal";

const expected = (...settings: string[]): Expected => ({
  ...{ settings: new Set(settings), owner: "trader", old: "trader_a", next: "trader_b" },
});
const view = (login: string, more: Partial<SessionView> = {}): SessionView => ({
  ...{ session: login, acting: "trader", schemas: "desk, public" },
  ...{
    settings: { search_path: "desk, public" },
    roles: ["reporting", "trader", login],
    rights: { "on the database": "ttt" },
  },
  ...more,
});
const old = view("trader_a");

describe("the differences between sessions of two logins", () => {
  it("are none if only the logins' names differ", () => {
    expect(differencesOf(old, view("trader_b"), expected())).toEqual([]);
  });

  it.each<[string, Partial<SessionView>, string]>([
    ["a setting", { settings: {} }, 'the setting search_path is not set and was "desk, public"'],
    ["the role", { acting: "trader_b" }, "the role that a session acts as is trader_b and was trader"],
    ["schemas", { schemas: "public" }, "the schemas that a session finds is public and was desk, public"],
    ["a lost membership", { roles: ["trader", "trader_b"] }, "it is no member of reporting"],
    ["rights", { rights: { "on the database": "tft" } }, "other rights on the database"],
    ["the login", { session: "pool" }, "the login that the server knows is pool and was trader_b"],
  ])("name %s", (_, more, words) => {
    expect(differencesOf(old, view("trader_b", more), expected())).toEqual([words]);
  });

  it("leave out settings that were changed on purpose, and the schemas that follow from search_path", () => {
    const next = view("trader_b", { settings: { search_path: "risk" }, schemas: "risk" });
    expect(differencesOf(old, next, expected("search_path"))).toEqual([]);
  });

  it("are none if a pooler logs in as a user of its own for both", () => {
    expect(differencesOf({ session: "pool" }, { session: "pool" }, expected())).toEqual([]);
  });
});

describe("memberships, rights and settings", () => {
  const difference = (more: Partial<SessionView>, before: Partial<SessionView> = {}) =>
    differencesOf(view("trader_a", before), view("trader_b", more), expected());

  it("name a membership that only the new login has: it may do more", () => {
    expect(difference({ roles: ["reporting", "risk", "trader", "trader_b"] })).toEqual([
      "it is a member of risk, which the login in use is not",
    ]);
  });

  it("that one session could not see are no difference", () => {
    const all = ["reporting", "trader", "trader_b"];
    expect(difference({ roles: undefined } as never)).toEqual([]);
    expect(difference({ roles: all }, { roles: undefined } as never)).toEqual([]);
    expect(difference({ rights: {} })).toEqual([]);
    expect(difference({ rights: { "on the table a": "t" } })).toEqual([]);
  });

  it("are named in the order of their names, and a long value by its beginning", () => {
    const found = difference({ settings: { search_path: "desk, public", "app.b": "b".repeat(200), "app.a": "1" } });
    expect(found).toEqual([
      'the setting app.a is "1" and was not set',
      `the setting app.b is "${"b".repeat(80)}" and was not set`,
    ]);
  });

  it("compare a session that shows settings with one that shows none", () => {
    expect(difference({ settings: undefined } as never)).toEqual([
      'the setting search_path is not set and was "desk, public"',
    ]);
    expect(difference({}, { settings: undefined } as never)).toEqual([
      'the setting search_path is "desk, public" and was not set',
    ]);
  });

  it("another search_path explains other schemas", () => {
    expect(difference({ settings: { search_path: "risk" }, schemas: "risk" })).toEqual([
      'the setting search_path is "risk" and was "desk, public"',
    ]);
  });

  it("a changed setting of another name does not explain other schemas", () => {
    expect(difference({ settings: { search_path: "desk, public", work_mem: "5MB" }, schemas: "desk" })).toEqual([
      'the setting work_mem is "5MB" and was not set',
      "the schemas that a session finds is desk and was desk, public",
    ]);
  });
});

it("a row is one line, without the parts that were not tried", () => {
  const row = { reader: "signal-service on trading-1", path: "primary", verdict: "differs", store: "" } as const;
  expect(rowWords({ ...row, login: "trader_b logs in", rights: "it is no member of risk" })).toBe(
    "signal-service on trading-1 over primary: trader_b logs in; it is no member of risk",
  );
  expect(rowWords({ ...row, login: "", rights: "", store: "version 3" })).toBe(
    "signal-service on trading-1 over primary: version 3",
  );
});
