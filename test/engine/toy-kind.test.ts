import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StackStatus } from "../../cli/operate/read-status";
import type { Validation } from "../../cli/operate/validate";
import { labConfig } from "../../dev/lab/deploy";
import { fine, json, rotation } from "./cli-support";
import { auditRows, type Bench, setDay, startBench, stateOf, stored, UNCHANGED, up } from "./harness";
import { type ToyProject, toyProject } from "./toy-project";

const SECRET = "toy/token";

describe("a kind is one folder and a line in each of two registries", () => {
  let project: ToyProject;
  let bench: Bench;
  const toy = { kind: "toy", name: SECRET, length: 20, restart: ["reader"] };

  beforeAll(async () => {
    [project, bench] = await Promise.all([
      toyProject({
        fixture: "toy-kind",
        folder: "kinds/toy",
        registrations: [
          { file: "kinds/schemas.ts", list: "KINDS", name: "toy", from: "./toy/checks" },
          { file: "kinds/index.ts", list: "KINDS", name: "toy", from: "./toy" },
        ],
      }),
      startBench({ labOptions: { services: [] } }),
    ]);
    const { lab, stack } = bench;
    await project.runs(stack);
    const { secrets } = labConfig({ lab }) as { secrets: { database: object }[] };
    await stack.configure("audit", secrets[0]?.database);
    await stack.configure("hosts", undefined);
    await stack.configure("services", { reader: { health: { command: "true" }, restart: "true" } });
    await stack.configure("secrets", [toy]);
    await stack.pulumi(["config", "rm", "adopted"]);
  });
  afterAll(async () => {
    await bench?.lab.stop();
    project?.remove();
  });

  it("its keys are checked with all others, and named if they are wrong", async () => {
    const { stack } = bench;
    await stack.configure("secrets", [{ ...toy, length: 4, restart: ["nobody"], role: "x" }]);
    const { stdout, stderr } = await stack.pulumi(["preview"]);
    const said = stdout + stderr;
    expect(said).toContain(
      "secrets[0].role: unknown key; expected one of kind, name, length, restart, before, after, policy, window, blackouts, paused",
    );
    expect(said).toContain("secrets[0].length: expected at least 16, found 4");
    expect(said).toContain("secrets[0].restart[0]: expected an entry of services (reader), found nobody");
    await stack.configure("secrets", [{ ...toy, kind: "toys" }]);
    const unknown = await stack.pulumi(["preview"]);
    expect(unknown.stdout + unknown.stderr).toMatch(/secrets\[0\]\.kind: expected one of .*toy/);
    await stack.configure("secrets", [toy]);
  });

  it("plan, preview, update, rotation and rollback", async () => {
    const { stack } = bench;
    expect(await fine(bench, ["plan"])).toContain(`begins anew with ${SECRET}`);
    const preview = await stack.pulumi(["preview"]);
    expect(preview.exitCode, preview.stdout + preview.stderr).toBe(0);
    await up(bench);
    const first = await stored(bench, SECRET);
    expect(first.value).toMatch(/^[A-Za-z0-9]{20}$/);

    await setDay(bench, 89);
    await fine(bench, ["run", "--yes"]);
    const second = await stored(bench, SECRET);
    expect(second.value).not.toBe(first.value);
    expect((await up(bench)).stdout).toMatch(UNCHANGED);

    await fine(bench, ["rollback", SECRET, "--reason", "a test", "--yes"]);
    expect(await stored(bench, SECRET)).toMatchObject({ value: first.value });
    expect(await stateOf(bench, SECRET)).toMatchObject({ step: { action: "ROLLBACK", generation: 1 } });
    expect((await auditRows(bench)).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK"]);
  });

  it("status, validate, preflight, diagnose and report tell of it", async () => {
    const [status] = (await json<StackStatus>(bench, ["status"])).secrets;
    expect(status).toMatchObject({ name: SECRET, kind: "toy", strategy: "toy", generation: 1, standing: "alert" });
    const [validation] = await json<Validation[]>(bench, ["validate"]);
    expect(validation?.points.filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
    expect(validation?.points[0]?.evidence).toContain(`${SECRET} version 3`);
    await fine(bench, ["preflight"]);
    expect(await fine(bench, ["diagnose"])).toContain("No problem found");
    expect(JSON.parse(await fine(bench, ["report", "--json"]))).toMatchObject({
      secrets: [{ name: SECRET, strategy: "toy", rotations: 2, rollbacks: 1 }],
    });
  });

  it("an external write is found, refused by an update, and overwritten by `diagnose --fix`", async () => {
    const ours = await stored(bench, SECRET);
    await bench.lab.store.put(SECRET, "written by hand");
    const found = await rotation(bench, ["diagnose", "--json"]);
    expect([found.exitCode, found.stdout]).toEqual([1, expect.stringContaining("another token than the one in use")]);
    await setDay(bench, 180);
    const refused = await rotation(bench, ["run", "--yes"]);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain(`Put the token of ${SECRET} back`);
    await fine(bench, ["diagnose", "--fix", "--yes"]);
    expect((await stored(bench, SECRET)).value).toBe(ours.value);
  });
});
