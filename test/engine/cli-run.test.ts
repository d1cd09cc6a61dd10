import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runLine } from "../../cli/render/run-lines";
import { poll } from "../../dev/lab/poll";
import { advised } from "../advice/table";
import { adviceIn, shell } from "./advice";
import { fine, json, rotation, setClock, tooWide, unwrapped } from "./cli-support";
import { EFFECTS } from "./crash-support";
import { auditRows, type Bench, login, stateOf, stored, useBench } from "./harness";
import { onTerminal } from "./terminal";

const SECRET = "database/password";

/** Whether the config holds a request; a run takes its own out again. */
async function requestOf({ stack }: Bench): Promise<string> {
  const { exitCode, stdout } = await stack.pulumi(["config", "get", "request"]);
  return exitCode === 0 ? stdout : "";
}

const rowsOf = async (bench: Bench) =>
  (await auditRows(bench)).map(({ action, status, generation }) => `${action} ${status} ${generation}`);

/** Lets the orchestrator stay unhealthy from the moment on when the store is written, until `over`. */
async function failingFromStore<T>(bench: Bench, act: () => Promise<T>, over: () => Promise<boolean>): Promise<T> {
  const { lab, stack } = bench;
  const { orchestrator, ...others } = lab.config.services;
  await stack.configure("services", { ...others, orchestrator: { ...orchestrator, timeout: "15s" } });
  const isStored = await EFFECTS.stored.watch(bench);
  let ended = false;
  const acting = act().finally(() => (ended = true));
  await poll(async () => ended || isStored(), { what: EFFECTS.stored.name, limitMs: 200_000 });
  await lab.hosts[0]?.setFault("orchestrator", { kind: "never-healthy" });
  await poll(async () => ended || over(), { what: "the failure", limitMs: 200_000 });
  await lab.hosts[0]?.setFault("orchestrator", undefined);
  const result = await acting;
  await stack.configure("services", lab.config.services);
  return result;
}

/** The run's own login as a file of libpq has it: pg warns its developers of such files. */
async function passFile({ stack }: Bench): Promise<Record<string, string | undefined>> {
  const file = join(stack.projectDir, "pgpass");
  await writeFile(file, `*:*:*:${stack.env.PGUSER}:${stack.env.PGPASSWORD}\n`, { mode: 0o600 });
  return { PGPASSFILE: file, PGPASSWORD: undefined };
}

const hasRow = async (bench: Bench, row: string) => {
  const count = (await rowsOf(bench)).filter((found) => found === row).length;
  return async () => (await rowsOf(bench)).filter((found) => found === row).length > count;
};

describe("rotation run, rollback, rotate-now", () => {
  const bench = useBench();

  it("on a terminal it asks, and a no changes nothing", async () => {
    await fine(bench(), ["run", "--yes"]);
    await setClock(bench(), 89);
    const before = await stored(bench(), SECRET);
    const { exitCode, shown } = await onTerminal(bench(), ["run"], [["Carry out this plan?", "n"]]);
    expect(exitCode, shown).toBe(1);
    expect(shown).toContain("rotates from generation 1 to 2 (due by age)");
    expect(shown).toContain("Nothing was changed.");
    expect(await stored(bench(), SECRET)).toEqual(before);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal gets
    const lines = tooWide(shown.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "\n"));
    // The prompt is painted several times in one place.
    expect(lines.filter((line) => !line.startsWith("? Carry out this plan?"))).toEqual([]);
  });

  it("--if-due rotates what is due, and does nothing quickly afterwards", async () => {
    const due = await rotation(bench(), ["run", "--if-due", "--yes", "--stacks", "paper*", "--parallel", "2"]);
    expect(due.exitCode, due.stdout + due.stderr).toBe(0);
    expect(due.stdout).toMatch(/^paper \| done database\/password: rotated to generation 2 \(was 1\)$/m);
    expect(due.stdout).toMatch(/^paper +done +database\/password 1 -> 2 +\d+\.\d s$/m);
    expect(due.stdout).toContain("1 of 1 stacks ended well.");
    expect(await rowsOf(bench())).toEqual(["ADOPT SUCCESS 1", "ROTATE SUCCESS 2"]);
    const again = await rotation(bench(), ["run", "--if-due", "--yes"]);
    expect(again).toEqual({ exitCode: 0, stdout: "Nothing is due.", stderr: "" });
    expect(await json(bench(), ["run", "--if-due", "--yes"])).toMatchObject({ type: "result", outcome: "nothing due" });
  });

  it("--stacks reads and runs every stack that matches, each on its own, and fails if one does", async () => {
    const { projectDir } = bench().stack;
    const other = join(projectDir, "Pulumi.paper-2.yaml");
    await writeFile(other, "config:\n  secret-rotation:environment: moon\n");
    try {
      const many = (...args: string[]) => rotation(bench(), [...args, "--stacks", "paper*"]);
      const asked = await many("run");
      expect(asked.exitCode).toBe(2);
      const plan = advised("rotation plan --stacks", asked.stderr);
      expect(plan).toBe("rotation plan --stacks 'paper*'");
      const planned = await shell(bench(), plan);
      expect(planned.exitCode).toBe(2);
      expect(planned.stdout).toMatch(/^== paper$/m);
      expect(planned.stdout).toMatch(/^== paper-2$[\s\S]*^error: .* in the config of stack paper-2:$/m);

      const due = await many("run", "--if-due", "--yes");
      expect(due.exitCode, due.stdout).toBe(2);
      expect(due.stdout).toMatch(/^paper +\| Nothing is due\.$/m);
      expect(due.stdout).toMatch(/^paper-2 \| error: .* in the config of stack paper-2:$/m);
      expect(due.stdout).toMatch(/^paper-2 +ended with exit code 2 /m);
      expect(due.stdout).toContain("1 of 2 stacks ended well.");
      const lines = (await many("run", "--if-due", "--yes", "--json")).stdout.trimEnd().split("\n");
      expect(lines.map((line) => runLine.parse(JSON.parse(line)).stack)).toEqual(["paper"]);

      const [first, second] = JSON.parse((await many("status", "--json")).stdout);
      expect(first).toMatchObject({ stack: "paper", exitCode: 0, answer: { secrets: [{ generation: 2 }] } });
      expect(second).toMatchObject({ stack: "paper-2", exitCode: 2, answer: null });
      for (const [args, said] of [
        [["status", "--stack", "paper"], "expected --stack or --stacks, found both"],
        [["report", "--out", "report.html"], "--out: expected {stack} in the file's name"],
        [["run", "--yes", "--page", "run.html"], "--page: expected {stack} in the file's name"],
        [["status", "--parallel", "0"], "expected a number from 1 to 99"],
      ] as const) {
        const refused = await many(...args);
        expect(refused.exitCode).toBe(2);
        expect(refused.stderr).toContain(said);
      }
      const none = await rotation(bench(), ["status", "--stacks", "live*"]);
      expect(none.stderr).toContain(`no stack matches live*; ${projectDir} has settings files of paper, paper-2`);
      await many("report", "--format", "html", "--out", join(projectDir, "{stack}.html"));
      expect(await readFile(join(projectDir, "paper.html"), "utf8")).toContain("database/password");
    } finally {
      await rm(other);
    }
  });

  it("a failure is a FAILED row, says what holds now and what to run next", async () => {
    const failed = await failingFromStore(
      bench(),
      async () => rotation(bench(), ["run", SECRET, "--yes", "--reason", "a test"], { env: await passFile(bench()) }),
      await hasRow(bench(), "ROTATE FAILED 2"),
    );
    expect(failed.exitCode, failed.stdout + failed.stderr).toBe(1);
    const words = unwrapped(failed.stdout);
    expect(words).toContain("orchestrator on trading-1 was restarted but is not healthy after 15 s");
    expect(words).toContain(
      "the rotation to generation 3 has begun and is not finished; generation 2 was in use before. Store: generation 3.",
    );
    expect(words).toContain(
      "signal-service on trading-1: restarted, healthy. orchestrator on trading-1: its restart did not finish, not healthy.",
    );
    expect(words).toContain("Services that use generation 2 keep working.");
    const [finish, back] = adviceIn(failed.stdout);
    expect(finish).toBe("rotation run --yes --stack paper   # finishes it");
    expect(back).toMatch(
      /^rotation rollback database\/password --reason ".*" --yes --stack paper {3}# .* generation 2$/,
    );
    // Commands stand unbroken.
    expect(tooWide(failed.stdout).filter((line) => !line.startsWith("  rotation "))).toEqual([]);
    expect(failed.stdout + failed.stderr).not.toMatch(/Deprecation|systemctl restart|set -u/);
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      status: "FAILED",
      action: "ROTATE",
      generation: 2,
      outputs: { phase: "restart" },
      reason: expect.stringContaining("orchestrator on trading-1"),
    });
    expect(await requestOf(bench())).toContain(SECRET);
  });

  it("what was advised finishes it, the same generation, and takes its request out", async () => {
    const { exitCode, stdout, stderr } = await shell(bench(), "rotation run --yes --stack paper   # finishes it");
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stderr).toContain("note: database/password: an earlier update was interrupted");
    expect(stdout).toContain("rotated to generation 3 (was 2)");
    expect((await rowsOf(bench())).slice(-2)).toEqual(["ROTATE FAILED 2", "ROTATE SUCCESS 3"]);
    expect(await requestOf(bench())).toBe("");
  });

  it("--auto-rollback goes back: a FAILED row, then the ROLLBACK's", async () => {
    const failed = await failingFromStore(
      bench(),
      () => rotation(bench(), ["run", SECRET, "--yes", "--auto-rollback", "--reason", "a test"]),
      await hasRow(bench(), "ROTATE FAILED 3"),
    );
    expect(failed.exitCode, failed.stdout + failed.stderr).toBe(1);
    expect(unwrapped(failed.stderr)).toContain("Rolling back to generation 3.");
    expect(failed.stdout).toMatch(/^FAILED, and rolled back$/m);
    expect(unwrapped(failed.stdout)).toContain("Every service is back on generation 3.");
    expect((await rowsOf(bench())).slice(-2)).toEqual(["ROTATE FAILED 3", "ROLLBACK SUCCESS 3"]);
    expect((await auditRows(bench())).at(-1)?.reason).toMatch(/^automatic rollback after: .*orchestrator/);
    expect(await requestOf(bench())).toBe("");
    expect(await stateOf(bench())).toMatchObject({ slots: expect.arrayContaining([3]) });
    for (const service of ["signal-service", "orchestrator"])
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader_b" } });
  });

  it("a change of a time limit alone restarts nothing, writes no row, and says so before and after", async () => {
    const { lab, stack } = bench();
    const { orchestrator, ...others } = lab.config.services;
    await stack.configure("services", { ...others, orchestrator: { ...orchestrator, timeout: "17s" } });
    const [rows, restarts] = [await rowsOf(bench()), lab.hosts[0]?.restarts.length];
    const plan = unwrapped(await fine(bench(), ["plan"]));
    expect(plan).toContain("nothing is restarted");
    expect(plan).not.toMatch(/\. restarts |writes the row into/);
    const { outcome, secrets } = await json<{ outcome: string; secrets: [] }>(bench(), ["run", "--yes"]);
    expect([outcome, secrets]).toEqual(["done", []]);
    expect(await rowsOf(bench())).toEqual(rows);
    expect(lab.hosts[0]?.restarts.length).toBe(restarts);
    await stack.configure("services", lab.config.services);
    await fine(bench(), ["run", "--yes"]);
  });

  it("rotate-now lets an open market pass, writes that into the row, and ends the old login at once", async () => {
    const { lab } = bench();
    lab.alpaca.paper.setMarket(true);
    const old = await stored(bench(), SECRET);
    const refused = await rotation(bench(), ["run", SECRET, "--yes"]);
    expect([refused.exitCode, refused.stdout]).toEqual([1, expect.stringContaining("FAILED  market")]);
    expect(refused.stdout).toContain(
      "The preflight failed; nothing was changed.\n\nNext:\n  rotation diagnose --stack",
    );
    expect(await requestOf(bench())).toBe("");

    const { exitCode, stdout, stderr } = await rotation(bench(), [
      ...["rotate-now", SECRET, "--reason", "seen in a ticket", "--yes", "--json"],
    ]);
    expect(exitCode, stdout + stderr).toBe(0);
    const lines = stdout.split("\n").map((line) => runLine.parse(JSON.parse(line)));
    expect(new Set(lines.map(({ type }) => type))).toEqual(
      new Set(["step", "preflight", "finding", "plan", "phase", "restart", "result"]),
    );
    expect(lines.filter(({ type }) => type === "restart").slice(0, 2)).toMatchObject([
      { service: "signal-service", host: "trading-1", state: "begins" },
      { service: "signal-service", host: "trading-1", state: "done" },
    ]);
    expect(lines.at(-1)).toMatchObject({ outcome: "done", secrets: [{ secret: SECRET, action: "ROTATE" }] });
    expect(await login(bench(), "trader_b", old.value)).toBe("28000");
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      action: "ROTATE",
      status: "SUCCESS",
      reason: expect.stringContaining("seen in a ticket"),
      outputs: { overrides: [expect.stringMatching(/^emergency: neither market hours/)] },
    });
    lab.alpaca.paper.setMarket(false);
  });
});
