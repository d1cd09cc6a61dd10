import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { unwrapped } from "./cli-support";
import { auditRows, refusedUp, setDay, stateFile, UNCHANGED, up, useBench } from "./harness";

describe("an update that ends while it saves the state", () => {
  const bench = useBench();
  const rotation = (...args: string[]) => {
    const { projectDir, env, name } = bench().stack;
    const command = [join(projectDir, "dist", "cli", "rotation.mjs"), ...args, "--stack", name];
    return execa("node", command, { cwd: projectDir, env, reject: false, stdin: "ignore" });
  };
  const attributes = () => `${stateFile(bench())}.attrs`;

  it("leaves a file beside it that is named by every command, fixed by `diagnose --fix`, and by `rotation run` itself", async () => {
    await up(bench());
    await truncate(attributes());
    expect(await refusedUp(bench())).toContain("failed to load checkpoint: EOF");
    const planned = await rotation("plan");
    expect(planned.exitCode).toBe(1);
    expect(planned.stderr).toContain("rotation diagnose --fix");

    const found = await rotation("diagnose");
    expect(found.exitCode, found.stderr).toBe(1);
    expect(unwrapped(found.stdout)).toContain("half written");
    const mended = await rotation("diagnose", "--fix", "--yes");
    expect(mended.exitCode, mended.stdout + mended.stderr).toBe(0);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    await setDay(bench(), 89);
    await truncate(attributes());
    const ran = await rotation("run", "--yes");
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
    // One line, as a scheduler's log keeps it.
    expect(ran.stderr).toMatch(/^note: removed .* left half written; the state itself is whole$/m);
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE"]);
  });

  it("leaves the state itself half written, on a full disk: `rotation run` puts its copy back", async () => {
    await truncate(stateFile(bench()), 1024);
    expect(await refusedUp(bench())).toMatch(/failed to load checkpoint|unexpected end of JSON input/);
    const planned = await rotation("plan");
    expect([planned.exitCode, planned.stderr]).toEqual([1, expect.stringContaining("rotation diagnose --fix")]);
    const ran = await rotation("run", "--yes");
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/^note: restored .*paper\.json from its copy .*\.bak: .* is repeated by the next one$/m);
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE"]);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });
});
