import { expect, it } from "vitest";
import { simulateStacks } from "../../../dev/prove/stacks/simulate";

it("x", async () => {
  console.log(await simulateStacks({ seed: 1, stacks: 60, sees: "jobs", spread: true }));
  expect(1).toBe(1);
}, 100000);
