import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kubernetesName, spreadSchedule } from "../../../core/schedule";

/** As Pulumi takes them. */
const stack = fc.stringMatching(/^[A-Za-z0-9_.-]{1,100}$/);

describe("a stack's name in Kubernetes", () => {
  it.each([
    ["prod-7", "prod-7"],
    ["Prod-7", "prod-7-35ddc3ccea"],
    ["prod_7", "prod-7-324c90ba1f"],
    ["-", "3973e022e9"],
  ])("%s is %s", (name, expected) => {
    expect(kubernetesName(name, 32)).toBe(expected);
  });

  it("is valid, short enough, and another one for each stack, also if it looks like another's", () => {
    fc.assert(
      fc.property(fc.uniqueArray(stack), fc.integer({ min: 12, max: 52 }), (stacks, longest) => {
        const names = stacks.map((one) => kubernetesName(one, longest));
        const all = new Set([...stacks, ...names]);
        const made = [...all].map((one) => kubernetesName(one, longest));
        expect(new Set(made).size).toBe(all.size);
        for (const name of made) {
          expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
          expect(name.length).toBeLessThanOrEqual(longest);
        }
      }),
    );
  });

  it("differs where only letters or signs do", () => {
    const alike = ["prod.eu.1", "prod-eu-1", "prod_eu_1", "PROD-EU-1", "prod--eu-1", "prod-eu-1-"];
    expect(new Set(alike.map((one) => kubernetesName(one, 32))).size).toBe(alike.length);
  });
});

describe("a minute of its own for each stack", () => {
  const minuteOf = (schedule: string, name: string) => spreadSchedule(schedule, name).split(" ")[0] ?? "";

  it("a thousand stacks are spread over the hour, from the given minute on", () => {
    for (const first of [0, 30, 59]) {
      const counts = new Map<number, number>();
      for (let index = 0; index < 1000; index++) {
        const minute = Number(minuteOf(`${first} 18 * * 1-5`, `prod-${index}`));
        counts.set(minute, (counts.get(minute) ?? 0) + 1);
      }
      const [fewest, most] = [Math.min(...counts.keys()), Math.max(...counts.keys())];
      expect([fewest, most, counts.size]).toEqual([first, 59, 60 - first]);
      if (first === 0) expect(Math.max(...counts.values())).toBeLessThan(40);
    }
  });

  it("is the same each time, and leaves the other fields as they are", () => {
    fc.assert(
      fc.property(stack, fc.integer({ min: 1, max: 59 }), (name, every) => {
        expect(spreadSchedule(" 0  18 * *  MON-FRI ", name)).toMatch(/^[0-5]?\d 18 \* \* MON-FRI$/);
        const [first = "", step] = minuteOf(`*/${every} * * * *`, name).split("/");
        expect(step).toBe(String(every));
        expect(Number(first.replace("-59", ""))).toBeLessThan(every);
        expect(spreadSchedule("* 2 * * *", name)).toBe("* 2 * * *");
      }),
    );
  });

  it.each([
    "",
    "0 18 * *",
    "0 18 * * * *",
    "60 * * * *",
    "*/0 * * * *",
    "*/60 * * * *",
    "1,2 * * * *",
    "0 $(id) * * *",
  ])("refuses %j", (schedule) => {
    expect(() => spreadSchedule(schedule, "prod")).toThrow(/^expected (?:five fields of cron|a minute)/);
  });
});

it("a name of exactly the longest length stays, one character more is cut, and ten digits count at the end only", () => {
  expect(kubernetesName("a".repeat(12), 12)).toBe("a".repeat(12));
  expect(kubernetesName("z".repeat(13), 12)).toMatch(/^z-[0-9a-f]{10}$/);
  expect(kubernetesName("0123456789-prod", 32)).toBe("0123456789-prod");
  expect(kubernetesName("prod-0123456789", 32)).toMatch(/^prod-0123456789-[0-9a-f]{10}$/);
});

it.each(["1*/5 * * * *", "*/5x * * * *", "*/5/5 * * * *"])("refuses the minute of %s", (schedule) => {
  expect(() => spreadSchedule(schedule, "prod")).toThrow(/^expected a minute from 0 to 59/);
});
