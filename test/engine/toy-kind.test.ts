import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labConfig } from "../../dev/lab/deploy";
import { auditRows, type Bench, setDay, startBench, stateOf, stored, UNCHANGED, up } from "./harness";
import { type ToyProject, toyProject } from "./toy-project";

const SECRET = "toy/token";

describe("a kind is one folder and a line in each registry", () => {
  let project: ToyProject;
  let bench: Bench;
  const toy = { kind: "toy", name: SECRET, length: 20, restart: ["reader"] };

  beforeAll(async () => {
    [project, bench] = await Promise.all([
      toyProject({
        fixture: "toy-kind",
        folder: "kinds/toy",
        registrations: [
          { file: "kinds/schemas.ts", list: "SCHEMAS", name: "toySchema", from: "./toy/schema" },
          { file: "kinds/schemas.ts", list: "KINDS", name: "toy", from: "./toy/checks" },
          { file: "kinds/index.ts", list: "KINDS", name: "toy", from: "./toy" },
        ],
        // What the CLI asks of a kind is one more line and one more file of the folder.
        checked: ["index.ts", "steps", "stores", "kinds"],
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

  it("its keys are checked with all others, and named where they are wrong", async () => {
    const { stack } = bench;
    await stack.configure("secrets", [{ ...toy, length: 4, restart: ["nobody"], role: "x" }]);
    const { stdout, stderr } = await stack.pulumi(["preview"]);
    const said = stdout + stderr;
    expect(said).toContain("secrets[0].role: unknown key; expected one of kind, name, length, restart, policy");
    expect(said).toContain("secrets[0].length: expected at least 16, found 4");
    expect(said).toContain("secrets[0].restart[0]: expected an entry of services (reader), found nobody");
    await stack.configure("secrets", [{ ...toy, kind: "toys" }]);
    const unknown = await stack.pulumi(["preview"]);
    expect(unknown.stdout + unknown.stderr).toMatch(/secrets\[0\]\.kind: expected one of .*toy/);
    await stack.configure("secrets", [toy]);
  });

  it("preview, update, rotation and rollback by plain `pulumi`", async () => {
    const { stack } = bench;
    const preview = await stack.pulumi(["preview"]);
    expect(preview.exitCode, preview.stdout + preview.stderr).toBe(0);
    await up(bench);
    const first = await stored(bench, SECRET);
    expect(first.value).toMatch(/^[A-Za-z0-9]{20}$/);

    await setDay(bench, 89);
    await up(bench);
    const second = await stored(bench, SECRET);
    expect(second.value).not.toBe(first.value);
    expect((await up(bench)).stdout).toMatch(UNCHANGED);

    await stack.configure("request", { id: "back", secret: SECRET, activate: 1, reason: "a test" });
    await up(bench);
    expect(await stored(bench, SECRET)).toMatchObject({ value: first.value });
    expect(await stateOf(bench, SECRET)).toMatchObject({ step: { action: "ROLLBACK", generation: 1 } });
    expect((await auditRows(bench)).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK"]);
  });
});
