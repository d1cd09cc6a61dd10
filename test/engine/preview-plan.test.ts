import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { setRequest, stateOf, stored, up, useBench } from "./harness";
import { labSecrets, leaksIn, slotSecrets } from "./leak-support";
import { restartsOf } from "./preview-support";
import { verifiers } from "./role-support";

const OTHER = "another-adopted-password";

// By the real clock, which goes on between the plan and the update.
describe("a saved plan, by the real clock", () => {
  const bench = useBench({ config: { lab: {} } });

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
    await refuses("config");
    await stack.configure("services", lab.config.services);
    await stack.configureSecret("adopted", JSON.stringify({ "database/password": OTHER }));
    await refuses("secret-config");
    expect([await verifiers(bench()), await stored(bench(), "database/password"), restartsOf(bench())]).toEqual(before);

    await savePlan();
    await up(bench(), "--plan=plan.json");
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 3], active: 1, handledRequest: "second" });

    await setRequest(bench(), { id: "third", rotate: true });
    await up(bench());
    await setRequest(bench(), { id: "second", rotate: true });
    await refuses("state");
  });

  /** Says what changed since the plan was saved, and no value of it. */
  async function refuses(changed: string): Promise<void> {
    const { exitCode, stdout, stderr } = await bench().stack.pulumi([
      "up",
      "--yes",
      "--skip-preview",
      "--plan=plan.json",
    ]);
    expect(exitCode).not.toBe(0);
    const said = new RegExp(
      `violates plan: ignoreChanges changed: added ${changed}-[0-9a-f]+; deleted ${changed}-[0-9a-f]+$`,
      "m",
    );
    expect(stdout + stderr).toMatch(said);
    const secrets = { ...labSecrets(bench()), ...(await slotSecrets(bench())), other: OTHER };
    expect(leaksIn(stdout + stderr, secrets)).toEqual([]);
  }

  async function savePlan(): Promise<void> {
    const { exitCode, stdout, stderr } = await bench().stack.pulumi(["preview", "--save-plan=plan.json"]);
    expect(exitCode, stdout + stderr).toBe(0);
  }
});
