import { describe, expect, it } from "vitest";
import { differencesOf, type Expected, type SessionView } from "../../../core/rehearsal";

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
