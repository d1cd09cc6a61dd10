import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { setRequest, stateOf, stored, up, useBench } from "./harness";
import { labSecrets, leaksIn, slotSecrets } from "./leak-support";
import { restartsOf } from "./preview-support";
import { verifiers } from "./role-support";

// By the real clock, which goes on between the plan and the update.
describe("a saved plan, by the real clock", () => {
  const bench = useBench({ config: { lab: undefined } });

  it("carries out what was reviewed, and refuses a config that changed before it touches anything", {
    timeout: 600_000,
  }, async () => {
    const { lab, stack } = bench();
    await up(bench());
    await setRequest(bench(), { id: "first", rotate: true });
    await savePlan();
    const secrets = { ...labSecrets(bench()), ...(await slotSecrets(bench())) };
    expect(leaksIn(await readFile(join(stack.projectDir, "plan.json"), "utf8"), secrets)).toEqual([]);
    await up(bench(), "--plan=plan.json");
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0, handledRequest: "first" });

    await setRequest(bench(), { id: "second", rotate: true });
    await savePlan();
    const before = [await verifiers(bench()), await stored(bench(), "database/password"), restartsOf(bench())];
    const services = Object.entries(lab.config.services).map(([name, config]) => [name, { ...config, timeout: "45s" }]);
    await stack.configure("services", Object.fromEntries(services));
    const refused = await stack.pulumi(["up", "--yes", "--skip-preview", "--plan=plan.json"]);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(/violates plan/);
    expect([await verifiers(bench()), await stored(bench(), "database/password"), restartsOf(bench())]).toEqual(before);

    await savePlan();
    await up(bench(), "--plan=plan.json");
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 3], active: 1, handledRequest: "second" });
  });

  async function savePlan(): Promise<void> {
    const { exitCode, stdout, stderr } = await bench().stack.pulumi(["preview", "--save-plan=plan.json"]);
    expect(exitCode, stdout + stderr).toBe(0);
  }
});
