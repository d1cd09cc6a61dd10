import { describe, expect, it } from "vitest";
import { simulateStacks } from "../../../dev/prove/stacks/simulate";

const setting = { seed: 1, stacks: 20, sees: "jobs", spread: true } as const;

describe("many stacks whose runners die (`npm run prove -- stacks` simulates a thousand)", () => {
  it("each rotates once, in an opening and before its maximum age, and its old login is ended", async () => {
    const shown = await simulateStacks(setting);
    expect(shown).toMatchObject({ once: 20, stuck: 0, late: 0, rows: 60 });
    // What was to be survived was there.
    expect(shown.deaths.killed).toBeGreaterThan(5);
    expect(shown.deaths["node lost, killed"] + shown.deaths["node lost, goes on"]).toBeGreaterThan(0);
    expect(shown.locksCleared).toBeGreaterThan(3);
    expect(shown.resumed).toBeGreaterThan(0);
  });

  it("without the right to see Jobs, locks of pods that died stay", async () => {
    const shown = await simulateStacks({ ...setting, stacks: 4, sees: "nothing" });
    expect(shown.stuck).toBeGreaterThan(0);
    expect(shown.locksCleared).toBe(0);
  });

  it("notices a rule that takes every lock for one left behind", async () => {
    await expect(simulateStacks({ ...setting, sees: "always" })).rejects.toThrow(/two engines at once/);
  });
});
