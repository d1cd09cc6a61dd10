import { expect, test } from "vitest";
import { countRecorded } from "./recording";

test("the recordings are complete: 345 exchanges", () => {
  const packages = ["random", "command", "postgresql", "vault"] as const;
  const counts = Object.fromEntries(packages.map((name) => [name, countRecorded(name)]));
  expect(counts).toEqual({ random: 80, command: 87, postgresql: 75, vault: 103 });
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(345);
});
