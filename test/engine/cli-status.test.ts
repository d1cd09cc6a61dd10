import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { StackStatus } from "../../cli/operate/read-status";
import { projectRoot } from "../../cli/toolchain/project";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { fine, json, rotation, setClock, tooWide, unwrapped } from "./cli-support";
import { useBench } from "./harness";
import { onTerminal } from "./terminal";

const DATABASE = "database/password";
const ESCAPE = "\x1b[";

describe("rotation: what is looked at, from a new stack to an overdue one", () => {
  const bench = useBench({ rotates: "both", config: { services: undefined } });

  it("a config without services is exit 2 and names the key", async () => {
    const { exitCode, stderr } = await rotation(bench(), ["status"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/services.*expected/s)]);
    await bench().stack.configure("services", bench().lab.config.services);
  });

  it.each([
    ["run", "no/such", "--yes"],
    ["rotate-now", "no/such", "--reason", "x", "--yes"],
    ["rollback", "no/such", "--reason", "x", "--yes"],
    ["preflight", "no/such"],
    ["validate", "no/such"],
    ["diagnose", "no/such"],
    ["adopt", "no/such"],
  ])("%s of an unknown secret is exit 2 and names those that there are", async (...args) => {
    const { exitCode, stdout, stderr } = await rotation(bench(), args);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr.trim().split("\n").at(-1)).toBe(
      `error: no secret has the name no/such; expected one of ${DATABASE}, ${ALPACA_KEY}`,
    );
  });

  it("wrong use is exit 2 and one message: an option, a command, a reason, a stack, a project", async () => {
    const { stack } = bench();
    const cli = async (args: string[], cwd = stack.projectDir, more = {}) => {
      const command = [join(projectRoot(), "dist/cli/rotation.mjs"), ...args];
      const { exitCode, stderr } = await execa(process.execPath, command, {
        cwd,
        env: { ...stack.env, ...more },
        reject: false,
      });
      return [exitCode, stderr];
    };
    expect(await cli(["status", "--no-such"])).toEqual([2, expect.stringContaining("unknown option '--no-such'")]);
    expect(await cli(["rotat"])).toEqual([2, expect.stringContaining("unknown command 'rotat'")]);
    expect(await cli(["rotate-now", DATABASE])).toEqual([2, expect.stringContaining("--reason <text>")]);
    expect(await cli(["rollback", DATABASE, "--reason", "x", "--to", "-1"])).toEqual([
      2,
      expect.stringMatching(/--to/),
    ]);
    expect(await cli(["status"], "/")).toEqual([2, expect.stringContaining("no Pulumi.yaml in / or above it")]);
    const unselected = await cli(["status"], stack.projectDir, { PULUMI_HOME: join(stack.projectDir, "nowhere") });
    expect(unselected).toEqual([2, expect.stringContaining("no stack is selected: name one with --stack")]);
    const unknown = await cli(["status", "--stack", "nowhere"]);
    expect(unknown).toEqual([2, expect.stringMatching(/^(reading .*\n)?error: .*nowhere.*$/)]);
    const running = await cli(["run", "--yes", "--stack", "nowhere"]);
    expect(running).toEqual([2, expect.stringMatching(/error: .*nowhere/)]);
  });

  it("status before the first run: new, and exit 3 on one screen", async () => {
    const { exitCode, stdout } = await rotation(bench(), ["status"]);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/SECRET +STATE +GEN +AGE +LEFT +DUE \(UTC\)\ndatabase\/password +new/);
    expect(tooWide(stdout)).toEqual([]);
    expect(stdout.split("\n").length).toBeLessThan(24);
    expect(stdout).not.toContain(ESCAPE);
  });

  it("adopt copies what the store has, once, and never prints it", async () => {
    const [adopted] = Object.values(bench().lab.adopted);
    const first = await rotation(bench(), ["adopt", "--json"]);
    expect(JSON.parse(first.stdout)).toMatchObject([
      { secret: DATABASE, outcome: "was there already", version: "1" },
      { secret: ALPACA_KEY, outcome: "not needed" },
    ]);
    await bench().stack.configureSecret("adopted", "{}");
    const again = await fine(bench(), ["adopt", DATABASE]);
    expect(unwrapped(again)).toContain(
      "adopted: database/password, version 1 of the store (the first rotation can be rolled back to it)",
    );
    expect(first.stdout + first.stderr + again).not.toContain(adopted);
    const { stdout } = await bench().stack.pulumi(["config", "get", "adopted"]);
    expect(JSON.parse(stdout)).toEqual({ [DATABASE]: adopted });
  });

  it("preflight is a line a check with its evidence, and exit 1 if one fails", async () => {
    const { lab } = bench();
    const ready = await fine(bench(), ["preflight"]);
    expect(ready).toContain(`${DATABASE}: ready`);
    for (const check of ["store", "database", "login role", "audit log", "host trading-1", "market", "current login"])
      expect(ready).toMatch(new RegExp(`^ok +${check} +\\S`, "m"));
    expect(tooWide(ready)).toEqual([]);

    lab.alpaca.paper.setMarket(true);
    await lab.hosts[0]?.setFault("signal-service", { kind: "never-healthy" });
    const { exitCode, stdout, stderr } = await rotation(bench(), ["preflight", DATABASE]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("preflight: checking everything")]);
    expect(stdout).toMatch(/^database\/password: 2 of \d+ checks failed/m);
    expect(stdout).toMatch(/^FAILED +market +the market is open until/m);
    expect(stdout).toMatch(/^FAILED +host trading-1 +not healthy before the start/m);
    expect(tooWide(stdout)).toEqual([]);
    const emergency = await json<{ checks: { name: string }[] }[]>(bench(), [
      "preflight",
      DATABASE,
      "--for",
      "emergency",
    ]);
    expect(emergency[0]?.checks.map(({ name }) => name)).not.toContain("market");
    lab.alpaca.paper.setMarket(false);
    await lab.hosts[0]?.setFault("signal-service", undefined);
  });

  it("run needs an operator to ask, or --yes", async () => {
    const { exitCode, stdout, stderr } = await rotation(bench(), ["run"]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toBe("error: there is no terminal to ask for confirmation on; add --yes");
  });

  it("plan in words, for a terminal and for a pull request", async () => {
    const text = await fine(bench(), ["plan"]);
    expect(text).toContain("database/password: adopts the credential in use and rotates to generation 1\n  1. ");
    expect(text).toMatch(/^ *\d+\. restarts signal-service on trading-1 and waits until it is healthy$/m);
    expect(text).not.toMatch(/command:local|vault:|metadata/);
    expect(tooWide(text)).toEqual([]);
    const markdown = await fine(bench(), ["plan", "--format", "markdown"]);
    expect(markdown).toContain("### Secret rotation: what `paper` (environment paper) would do");
    expect(markdown).toContain("**alpaca/api_key: adopts the credential in use**");
    expect(markdown).toContain("| create | `database-password-audit-row` | `command:local:Command` |");
  });

  it("run --yes carries it out, with progress by phase, and a second one finds nothing to do", async () => {
    const { exitCode, stdout, stderr } = await rotation(bench(), ["run", "--yes"]);
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stdout).toContain("done database/password: adopted, now at generation 1\n");
    expect(stdout).toContain("done alpaca/api_key: adopted, now at generation 0\n");
    expect(tooWide(stdout)).toEqual([]);
    expect(stderr).toMatch(
      /^reading the stack\n(done .*\n|preflight: .*\n|preview: .*\n)+((done +)?database\/password: .*\n)+((done +)?(alpaca\/api_key|database\/password): .*\n?)+$/,
    );
    expect(stderr).toContain("database/password: restarting signal-service on trading-1\n");
    const again = await json<{ outcome: string }>(bench(), ["run", "--yes"]);
    expect(again).toMatchObject({ outcome: "nothing to do", plan: { changes: [] }, notes: [] });
  });

  it("adopt of what the stack wrote itself is not needed", async () => {
    expect(unwrapped(await fine(bench(), ["adopt", DATABASE]))).toContain("not needed: database/password");
  });

  it.each([
    [84.9, "ok", 0],
    [85, "warning", 0],
    [88, "alert", 0],
    [89, "due", 3],
    [90.1, "overdue", 3],
  ])("status on day %s: %s, exit %i", async (day, standing, code) => {
    // The Alpaca pair was made three days before the lab's calendar begins.
    const secret = (status: StackStatus) => status.secrets.find(({ name }) => name === DATABASE);
    await setClock(bench(), day);
    const { exitCode, stdout } = await rotation(bench(), ["status"]);
    expect(stdout).toMatch(
      new RegExp(`^database/password +${standing} +1 +${day} d +${Math.round((90 - day) * 10) / 10} d`, "m"),
    );
    expect(tooWide(stdout)).toEqual([]);
    const status = await json<StackStatus>(bench(), ["status"]);
    expect(secret(status)).toMatchObject({
      standing,
      strategy: "alternating-users",
      store: "vault",
      generation: 1,
      dueAt: "2027-02-20T02:00:00.000Z",
      previous: { generation: 0, validUntil: "2026-11-24T02:00:00.000Z" },
      lastRow: { action: "ADOPT", status: "SUCCESS" },
    });
    // The pair is older and does the same a little earlier.
    expect(exitCode).toBe(day === 88 ? 3 : code);
  });

  it("on a terminal there is colour, and still no line that wraps", async () => {
    const { exitCode, shown } = await onTerminal(bench(), ["status"]);
    expect(exitCode).toBe(3);
    expect(shown).toContain(ESCAPE);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal gets
    expect(tooWide(shown.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", ""))).toEqual([]);
    expect(unwrapped(shown)).toContain("rotates once a new value is supplied: `rotation alpaca add-key`");
  });

  it("plan as JSON on the day it is due", async () => {
    const plan = await json<{ secrets: { secret: string; action: string }[]; dangers: string[] }>(bench(), ["plan"]);
    expect(plan).toMatchObject({ stack: "paper", dangers: [] });
    expect(plan.secrets.find(({ secret }) => secret === DATABASE)).toMatchObject({
      action: "ROTATE",
      headline: "database/password: rotates from generation 1 to 2 (due by age)",
    });
  });
});
