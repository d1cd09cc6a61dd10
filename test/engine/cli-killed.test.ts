import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { fine, json, rotation, setClock, unwrapped } from "./cli-support";
import { EFFECTS, type Effect, killed, killedUp } from "./crash-support";
import { auditRows, type Bench, setRequest, stateFile, stateOf, up, useBench } from "./harness";

interface Diagnosis {
  readonly findings: readonly { readonly cause: string; readonly command: string; readonly fixable: boolean }[];
  readonly fixed?: readonly { readonly outcome: string; readonly detail: string }[];
  readonly remaining?: readonly unknown[];
}

/** `rotation run`, killed as soon as the effect shows. */
const killedRun = (bench: Bench, effect: Effect) =>
  killed(bench, effect, (onStart) => rotation(bench, ["run", "--yes"], { onStart }));

const rotations = async (bench: Bench) =>
  (await auditRows(bench)).filter(({ action }) => action === "ROTATE").map(({ generation }) => generation);

describe("after a SIGKILL", () => {
  const bench = useBench();

  it("rotation run clears what a killed `pulumi up` left, says so, and finishes the same generation", async () => {
    await up(bench());
    await setClock(bench(), 89);
    await killedUp(bench(), EFFECTS.passwordSet);
    const { exitCode, stdout, stderr } = await rotation(bench(), ["run", "--yes"]);
    expect(exitCode, stdout + stderr).toBe(0);
    const notes = unwrapped(stderr);
    expect(notes).toMatch(
      /note: cleared the lock that \S+@\S+ \(pid \d+, since \S+\) left behind; that process is gone/,
    );
    expect(notes).toContain("note: database/password: an earlier update was interrupted; this one continues it");
    expect(stdout).toContain("rotated to generation 2 (was 1)");
    expect(await rotations(bench())).toEqual([2]);
  });

  it("diagnose names what a killed `rotation run` left, and --fix fixes all of it", async () => {
    await setClock(bench(), 178);
    await killedRun(bench(), EFFECTS.restarted);
    const { findings } = await json<Diagnosis>(bench(), ["diagnose"]);
    const causes = findings.map(({ cause }) => cause);
    expect(causes).toContain("the stack is locked by an interrupted update");
    expect(causes).toContain("a rotation or a rollback is unfinished");
    expect(findings.find(({ cause }) => cause.includes("locked"))?.command).toBe("pulumi cancel --yes --stack paper");
    const status = await rotation(bench(), ["status"]);
    expect(status.exitCode).toBe(3);

    const mended = await json<Diagnosis>(bench(), ["diagnose", "--fix", "--yes"]);
    expect(mended.fixed?.map(({ outcome }) => outcome)).toEqual(findings.map(() => "done"));
    expect(mended.remaining).toEqual([]);
    expect(await stateOf(bench())).toMatchObject({ step: { action: "ROTATE", generation: 3 } });
    expect(await rotations(bench())).toEqual([2, 3]);
    expect(await fine(bench(), ["diagnose"])).toContain("No problem found");
    await bench().lab.healthy();
  }, 600_000);

  it("rotation run writes the outputs of an update that died when all else was done", async () => {
    const outputs = (await rootOf(bench())).root.outputs;
    await setClock(bench(), 267);
    await fine(bench(), ["run", "--yes"]);
    const [rows, state] = [await auditRows(bench()), await stateOf(bench())];
    expect(await runAgain(bench(), outputs)).toContain("done database/password: rotated to generation 4 (was 3)");
    expect(await stateOf(bench())).toEqual(state);
    expect(await auditRows(bench())).toEqual(rows);
    expect(await fine(bench(), ["run", "--yes"])).toContain("Nothing to do.");
  });
});

describe("after a kill, by the clock of the world", () => {
  const bench = useBench({ config: { lab: {} } });

  it("rotation run keeps to the plan of its preview, though time went on between the two", async () => {
    await up(bench());
    const outputs = (await rootOf(bench())).root.outputs;
    await setRequest(bench(), { id: "now", rotate: true });
    await up(bench());
    const [rows, state] = [await auditRows(bench()), await stateOf(bench())];
    expect(await runAgain(bench(), outputs)).toContain("done database/password: rotated to generation 2 (was 1)");
    expect(await stateOf(bench())).toMatchObject({ slots: state?.slots, active: state?.active, handledRequest: "now" });
    expect(await auditRows(bench())).toEqual(rows);
    expect(await fine(bench(), ["run", "--yes"])).toContain("Nothing to do.");
  });
});

/** `rotation run` on a state as it is saved before the program has told its outputs. */
async function runAgain(bench: Bench, outputs: unknown): Promise<string> {
  const { root, saved } = await rootOf(bench);
  root.outputs = outputs;
  await writeFile(stateFile(bench), JSON.stringify(saved));
  return fine(bench, ["run", "--yes"]);
}

/** The stack's own resource, which has the outputs, and the saved state around it. */
async function rootOf(bench: Bench) {
  const saved = JSON.parse(await readFile(stateFile(bench), "utf8"));
  const resources: { type: string; outputs: unknown }[] = saved.checkpoint.latest.resources;
  const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  if (root === undefined) throw new Error("the state has no stack");
  return { saved, root };
}
