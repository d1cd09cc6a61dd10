import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  alteration,
  alterations,
  keyName,
  type LoginView,
  mergeViews,
  plainValue,
  settingKey,
  settingOf,
} from "../../../core/login-view";

const view: fc.Arbitrary<LoginView> = fc.dictionary(
  fc.constantFrom("set work_mem", "set app.tenant", "set search_path in trader", "connection limit", "valid until"),
  fc.constantFrom("1", "2", "3"),
);

describe("what the next login gets", () => {
  it("is the owner's if nothing was done to the login in use", () => {
    fc.assert(
      fc.property(view, view, (copied, owner) => {
        expect(mergeViews(copied, owner, copied)).toEqual({ view: owner, conflicts: [] });
      }),
    );
  });

  it("is the login's own if nothing was done to the owner since", () => {
    fc.assert(
      fc.property(view, view, (copied, login) => {
        expect(mergeViews(copied, copied, login)).toEqual({ view: login, conflicts: [] });
      }),
    );
  });

  it("holds each key of one side or of the other, and names every key that both changed, each to another value", () => {
    fc.assert(
      fc.property(view, view, view, (copied, owner, login) => {
        const { view: merged, conflicts } = mergeViews(copied, owner, login);
        const keys = new Set([...Object.keys(copied), ...Object.keys(owner), ...Object.keys(login)]);
        for (const key of keys) {
          expect([owner[key], login[key]]).toContain(merged[key]);
          const both = owner[key] !== copied[key] && login[key] !== copied[key] && owner[key] !== login[key];
          expect(conflicts.some((conflict) => conflict.key === key)).toBe(both);
          if (both) expect(merged[key]).toBe(login[key]);
        }
      }),
    );
  });

  it("is settled: merged once more, with the owner as it was copied, nothing changes", () => {
    fc.assert(
      fc.property(view, view, view, (copied, owner, login) => {
        const { view: merged } = mergeViews(copied, owner, login);
        expect(mergeViews(owner, owner, merged)).toEqual({ view: merged, conflicts: [] });
      }),
    );
  });
});

it("both views of a conflict are told, in the order of the keys, and what neither side has is not there", () => {
  const copied = { b: "1", a: "1", c: "1" };
  expect(mergeViews(copied, { b: "2", c: "2" }, { a: "2", b: "3" })).toStrictEqual({
    view: { a: "2", b: "3" },
    conflicts: [
      { key: "a", owner: null, login: "2" },
      { key: "b", owner: "2", login: "3" },
      { key: "c", owner: "2", login: null },
    ],
  });
});

describe("the statements", () => {
  it("quote lists as pg_dump does, and everything else as one value", () => {
    const role = 'odd"one';
    expect(alteration(role, "set search_path", '"$user", public, "a, b"')).toBe(
      `ALTER ROLE "odd""one" SET search_path TO '$user', 'public', 'a, b'`,
    );
    expect(alteration(role, "set search_path in my db", '""')).toBe(
      `ALTER ROLE "odd""one" IN DATABASE "my db" SET search_path TO ''`,
    );
    expect(alteration("t", "set search_path", "")).toBe(`ALTER ROLE "t" SET search_path TO ''`);
    expect(alteration("t", "set Temp_Tablespaces", '"a""b",c')).toBe(
      `ALTER ROLE "t" SET Temp_Tablespaces TO 'a"b', 'c'`,
    );
    expect(alteration("t", "set DateStyle", "ISO, MDY")).toBe(`ALTER ROLE "t" SET DateStyle TO 'ISO, MDY'`);
    expect(alteration("t", "set app.user", "it's \\ here")).toBe(
      `ALTER ROLE "t" SET "app"."user" TO E'it''s \\\\ here'`,
    );
    expect(alteration("t", "set work_mem", undefined)).toBe('ALTER ROLE "t" RESET work_mem');
  });

  it("say nothing of what is so already, and set the default again if there is no value", () => {
    const from = { "connection limit": "5", "valid until": "2031-01-01", replication: "on", "set a": "1" };
    expect(alterations("t", from, from)).toEqual([]);
    expect(alterations("t", from, {})).toEqual([
      'ALTER ROLE "t" CONNECTION LIMIT -1',
      'ALTER ROLE "t" NOREPLICATION',
      'ALTER ROLE "t" RESET a',
      `ALTER ROLE "t" VALID UNTIL 'infinity'`,
    ]);
  });

  it("know every key of a view, and no other", () => {
    expect(alteration("t", "connection limit", "5")).toBe('ALTER ROLE "t" CONNECTION LIMIT 5');
    expect(alteration("t", "valid until", "2031-01-01")).toBe(`ALTER ROLE "t" VALID UNTIL '2031-01-01'`);
    expect(alteration("t", "replication", "on")).toBe('ALTER ROLE "t" REPLICATION');
    expect(() => alteration("t", "superuser", "on")).toThrow("expected a key of a role's view, found superuser");
  });

  it("read back the setting that a key names", () => {
    for (const database of [undefined, "trader", "a in b"]) {
      expect(settingOf(settingKey("work_mem", database))).toEqual({ name: "work_mem", database });
    }
    expect([settingKey("work_mem"), settingKey("work_mem", "db")]).toEqual(["set work_mem", "set work_mem in db"]);
    expect([keyName("set work_mem in db"), keyName("connection limit"), keyName("offset x")]).toEqual([
      ...["work_mem in db", "connection limit", "offset x"],
    ]);
    expect([settingOf("set a b"), settingOf("no set a")]).toEqual([undefined, undefined]);
    expect(settingOf("set work_mem in a in b")).toEqual({ name: "work_mem", database: "a in b" });
    expect(settingOf("set work_mem")).toEqual({ name: "work_mem", database: undefined });
    expect(settingOf("connection limit")).toBeUndefined();
  });
});

it.each([
  ["29s", "29000"],
  ["30 s", "30000"],
  ["1min", "60000"],
  ["0.5s", "500"],
  ["1500us", "2"],
  ["30000", "30000"],
  ["0", "0"],
  ["+5s", "5000"],
  [" 30000 ", "30000"],
  ["1h ", "3600000"],
  ["1d", "86400000"],
  ["DEFAULT", "DEFAULT"],
  ["at 30s", "at 30s"],
  ["30s or so", "30s or so"],
])("a timeout of %s is %s milliseconds", (value, plain) => {
  expect(plainValue("statement_timeout", value)).toBe(plain);
  expect(plainValue("idle_in_transaction_session_timeout", value)).toBe(plain);
  expect(plainValue("lock_timeout", value)).toBe(value);
});
