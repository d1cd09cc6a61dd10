import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextState } from "../../../core/next-state";
import { CLASSES, DEFAULT_RULE, passwordRule, ruleProblems } from "../../../core/password-rule";
import { DEFAULT_POLICY } from "../../../core/policy";
import { postgresPassword } from "../../../kinds/postgres-password";
import { ownPassword } from "../../../kinds/postgres-password/schema";

const config = (more: object = {}) => ({
  ...{ length: 24, classes: CLASSES, symbols: "-_.~", excludeCharacters: "", minimum: {} },
  ...more,
});

describe("a password rule", () => {
  it("is by default what it always was", () => {
    expect(passwordRule(config())).toEqual(DEFAULT_RULE);
    expect(ruleProblems(config())).toEqual([]);
  });

  it("takes excluded symbols away, and asks for nothing of a class that may not occur", () => {
    expect(passwordRule(config({ symbols: "!!#@", excludeCharacters: "@/" })).overrideSpecial).toBe("!#");
    expect(passwordRule(config({ classes: ["lower", "digits"] }))).toMatchObject({
      ...{ upper: false, minUpper: 0, overrideSpecial: "", minSpecial: 0, minLower: 1, minNumeric: 1 },
    });
    expect(passwordRule(config({ minimum: { digits: 4, symbols: 0 } }))).toMatchObject({
      minNumeric: 4,
      minSpecial: 0,
    });
  });

  it.each([
    [{ excludeCharacters: "O0l1" }, "excludeCharacters", "found O0l1"],
    [{ symbols: "@", excludeCharacters: "@" }, "symbols", "found none"],
    [{ classes: ["lower"], minimum: { digits: 2 } }, "minimum", "found digits: 2"],
    [{ minimum: { lower: 20, upper: 20 } }, "length", "expected at least 42"],
    [{ length: 12, classes: ["digits"] }, "length", "expected at least 80 bits, found 39 (12 characters of 10)"],
  ])("that is impossible is refused: %j", (more, key, message) => {
    const problems = ruleProblems(config(more));
    expect(problems.map((one) => one.key)).toContain(key);
    expect(problems.map((one) => one.message).join()).toContain(message);
  });

  it("that passes asks for no more than fits, from an alphabet that is not empty", () =>
    fc.assert(
      fc.property(
        fc.record({
          length: fc.integer({ min: 12, max: 128 }),
          classes: fc.subarray([...CLASSES], { minLength: 1 }),
          symbols: fc.string({ unit: fc.constantFrom(..."!#@-_."), minLength: 1 }),
          excludeCharacters: fc.string({ unit: fc.constantFrom(..."!#@") }),
          minimum: fc.record(
            { lower: fc.nat(30), upper: fc.nat(30), digits: fc.nat(30), symbols: fc.nat(30) },
            { requiredKeys: [] },
          ),
        }),
        (given) => {
          if (ruleProblems(given).length > 0) return;
          const rule = passwordRule(given);
          expect(rule.minLower + rule.minUpper + rule.minNumeric + rule.minSpecial).toBeLessThanOrEqual(rule.length);
          for (const one of given.excludeCharacters) expect(rule.overrideSpecial).not.toContain(one);
          expect(rule.minSpecial > 0 && rule.overrideSpecial === "").toBe(false);
        },
      ),
    ));
});

describe("a changed rule", () => {
  const now = new Date("2026-11-23T02:00:00Z");
  const inputs = { now, policy: DEFAULT_POLICY, hasAdopted: true };
  const rule = passwordRule(config({ length: 40 }));

  it("acts at the next rotation of a slot, and stays with it: never before, and not after a rollback", () => {
    const first = nextState(undefined, inputs);
    expect(first).not.toHaveProperty("rules");
    expect(nextState(first, { ...inputs, rule })).toBe(first);
    const request = { id: "1", secret: "a/b", rotate: true as const, reason: "test" };
    const second = nextState(first, { ...inputs, rule, request });
    expect(second.rules?.[second.active]).toEqual(rule);
    expect(second.rules?.[first.active]).toBeNull();
    const back = { id: "2", secret: "a/b", activate: 1, reason: "test" };
    expect(nextState(second, { ...inputs, rule: undefined, request: back }).rules).toEqual(second.rules);
    const third = nextState(second, { ...inputs, request: { ...request, id: "3" } });
    expect(third.rules?.[third.active]).toBeNull();
  });

  it("of the first update is the rule of its slot", () => {
    const first = nextState(undefined, { ...inputs, rule });
    expect(first.rules).toEqual([null, rule]);
  });

  it("comes from the config", () => {
    const secret = ownPassword.parse({
      ...{ kind: "postgres-password", name: "a/b", database: { host: "db", name: "trader" }, restart: ["x"] },
      passwordRule: { length: 32 },
    });
    const { next } = postgresPassword.rules(secret, { adopted: {}, preflight: {} } as never, {});
    expect(
      next(undefined, { now, policy: DEFAULT_POLICY, request: undefined, begun: false, certain: false, hold: false })
        .rules?.[1],
    ).toMatchObject({ length: 32 });
  });
});
