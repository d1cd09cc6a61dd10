import { truncate } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { advised } from "../advice/table";
import { adviceIn, shell } from "./advice";
import { fine, json, rotation, unwrapped } from "./cli-support";
import { EFFECTS, killedUp } from "./crash-support";
import { auditRows, type Bench, setRequest, stateFile, stateOf, useBench } from "./harness";
import { signalled } from "./signals";

const SECRET = "database/password";

const activeOf = async (bench: Bench) => {
  const state = await stateOf(bench, SECRET);
  return Number(state?.slots[state.active]);
};

/** Every line of an advice, in its order, as it is printed. @returns the exit codes */
async function runAll(bench: Bench, lines: readonly string[]): Promise<number[]> {
  const codes: number[] = [];
  for (const line of lines) codes.push((await shell(bench, line)).exitCode);
  return codes;
}

/** While no row of a success can be written. */
async function withoutSuccess<T>({ lab: { postgres } }: Bench, work: () => Promise<T>): Promise<T> {
  await postgres.query(
    "CREATE OR REPLACE FUNCTION no_success() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk quota of the log'; END $$",
  );
  await postgres.query(
    "CREATE TRIGGER no_success BEFORE INSERT ON secret_rotation_log FOR EACH ROW WHEN (NEW.status = 'SUCCESS') EXECUTE FUNCTION no_success()",
  );
  try {
    return await work();
  } finally {
    await postgres.query("DROP TRIGGER no_success ON secret_rotation_log");
  }
}

describe("what a message advises works as it is printed", () => {
  const bench = useBench();

  it("a first update whose row could not be written: another run finishes it, without another preflight", async () => {
    const failed = await withoutSuccess(bench(), () => rotation(bench(), ["run", SECRET, "--yes"]));
    expect(failed.exitCode).toBe(1);
    const ran = await shell(bench(), advised("rotation run", adviceIn(failed.stdout).join("\n")));
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
    expect(await activeOf(bench())).toBe(1);
    expect((await auditRows(bench())).at(-1)).toMatchObject({ status: "SUCCESS", action: "ADOPT", generation: 1 });
  });

  it("a refused preflight: look, and the same command again", async () => {
    const { alpaca } = bench().lab;
    alpaca.paper.setMarket(true);
    const refused = await rotation(bench(), ["run", SECRET, "--yes", "--reason", "it's a test"]);
    expect(refused.exitCode).toBe(1);
    const advice = adviceIn(refused.stdout);
    alpaca.paper.setMarket(false);
    expect(advice[0]).toBe(advised("rotation diagnose", refused.stdout));
    expect(await runAll(bench(), advice), refused.stdout).toEqual([0, 0, 0]);
    expect(await activeOf(bench())).toBe(2);
    expect((await auditRows(bench())).at(-1)?.reason).toBe("it's a test");
  });

  it("a row that could not be written: everything else is done, and another run writes it", async () => {
    const failed = await withoutSuccess(bench(), () => rotation(bench(), ["run", SECRET, "--yes"]));
    expect(failed.exitCode).toBe(1);
    expect(unwrapped(failed.stdout)).toContain(
      "Every service was restarted and is healthy; only its row in secret_rotation_log is missing.",
    );
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      status: "FAILED",
      reason: expect.stringContaining("disk quota of the log"),
    });
    expect(await runAll(bench(), [advised("rotation run", adviceIn(failed.stdout).join("\n"))]), failed.stdout).toEqual(
      [0],
    );
    expect(await activeOf(bench())).toBe(3);
    expect((await auditRows(bench())).at(-1)).toMatchObject({ status: "SUCCESS", generation: 3 });
  });

  it("what stopped half-way: the rollback that is offered goes back", async () => {
    const reached = await EFFECTS.restarted.watch(bench());
    const stopped = await signalled(bench(), ["run", SECRET, "--yes", "--json"], reached, {
      signal: "SIGTERM",
      to: "group",
    });
    const back = advised("rotation rollback", adviceIn(stopped.stdout).join("\n"));
    expect(await runAll(bench(), [back])).toEqual([0]);
    expect(await activeOf(bench())).toBe(3);
    expect((await auditRows(bench())).at(-1)).toMatchObject({ status: "SUCCESS", action: "ROLLBACK", generation: 3 });
    await bench().lab.healthy();
  });

  it("a signal before the update began: nothing was changed, and the same command does it", async () => {
    const before = await activeOf(bench());
    const stopped = await signalled(bench(), ["run", SECRET, "--yes"], (said) => said.includes("preview:"), {
      signal: "SIGTERM",
      to: "CLI",
    });
    expect(stopped.exitCode, stopped.stdout + stopped.stderr).toBe(143);
    expect(stopped.stdout).toContain("Interrupted before the update began: this run changed nothing.");
    expect(await activeOf(bench())).toBe(before);
    expect(await bench().stack.pulumi(["config", "get", "request"])).not.toMatchObject({ exitCode: 0 });
  });

  it("each finding of a killed update: its commands, one after the other", async () => {
    await setRequest(bench(), { id: "killed", rotate: true });
    await killedUp(bench(), EFFECTS.stored);
    const { findings } = await json<{ findings: { command: string }[] }>(bench(), ["diagnose"]);
    expect(findings.length).toBeGreaterThan(1);
    const cancel = advised("pulumi cancel", findings.map(({ command }) => command).join("\n"));
    expect(findings[0]?.command).toBe(cancel);
    for (const { command } of findings) {
      // Only who acts is asked for a yes, which nobody gives here.
      const line = command.startsWith("rotation run") ? `${command} --yes` : command;
      const { exitCode, stdout, stderr } = await shell(bench(), line);
      expect(exitCode, `${line}: ${stdout}${stderr}`).toBe(0);
    }
    expect(await fine(bench(), ["diagnose"])).toContain("No problem found");
  });

  it("a torn state: the command in the message fixes it", async () => {
    await truncate(`${stateFile(bench())}.attrs`);
    const refused = await rotation(bench(), ["plan"]);
    expect(refused.exitCode).toBe(1);
    const mend = advised("rotation diagnose --fix", refused.stderr);
    const { exitCode, stdout, stderr } = await shell(bench(), `${mend} --yes`);
    expect(exitCode, stdout + stderr).toBe(0);
    await fine(bench(), ["plan"]);
  });
});
