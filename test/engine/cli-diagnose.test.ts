import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { fine, rotation, tooWide, unwrapped } from "./cli-support";
import { auditRows, login, stateFile, stateOf, stored, useBench } from "./harness";
import { changePassword } from "./role-support";
import { onTerminal } from "./terminal";

const SECRET = "database/password";
const CLEAN = "No problem found.";

interface Finding {
  readonly secret: string | null;
  readonly cause: string;
  readonly evidence: string;
  readonly command: string;
  readonly fixable: boolean;
}

interface Mended {
  readonly findings: Finding[];
  readonly fixed: readonly { readonly cause: string; readonly outcome: string; readonly detail: string }[];
  readonly remaining: readonly Finding[];
}

describe("rotation diagnose: the runbook's troubleshooting, each case made and fixed", () => {
  const bench = useBench({ rotates: "both" });
  const pair = () => suppliedPair("paper-trading-2026-11-23", bench().lab.alpaca.paper.createKey());

  async function findings(): Promise<Finding[]> {
    const { exitCode, stdout, stderr } = await rotation(bench(), ["diagnose", "--json"]);
    const found = (JSON.parse(stdout) as { findings: Finding[] }).findings;
    expect(exitCode, stdout + stderr).toBe(found.length === 0 ? 0 : 1);
    return found;
  }

  /** Mends all of it; what was found, and what was done about each. */
  async function mended(): Promise<{ found: Finding[]; done: string }> {
    const { exitCode, stdout, stderr } = await rotation(bench(), ["diagnose", "--fix", "--yes", "--json"]);
    expect(exitCode, stdout + stderr).toBe(0);
    const { findings, fixed, remaining } = JSON.parse(stdout) as Mended;
    expect(remaining).toEqual([]);
    expect(fixed.map(({ cause, outcome }) => [cause, outcome])).toEqual(findings.map(({ cause }) => [cause, "done"]));
    return { found: findings, done: fixed.map(({ detail }) => detail).join("; ") };
  }

  async function fix(): Promise<string> {
    const { exitCode, stdout, stderr } = await rotation(bench(), ["diagnose", "--fix", "--yes"]);
    expect(exitCode, stdout + stderr).toBe(0);
    expect(tooWide(stdout).filter((line) => !line.startsWith("  rotation "))).toEqual([]);
    expect(stdout.endsWith(CLEAN)).toBe(true);
    return unwrapped(stdout);
  }

  it("finds nothing on a sound stack", async () => {
    await fine(bench(), ["run", "--yes"]);
    expect(await fine(bench(), ["diagnose"])).toBe(CLEAN);
    expect(await findings()).toEqual([]);
    const asked = await rotation(bench(), ["diagnose", "--fix"]);
    expect([asked.exitCode, asked.stderr]).toEqual([2, expect.stringContaining("add --yes")]);
  });

  it("an operation pending in the state, as an interrupted update leaves it; --fix takes it out", async () => {
    const state = JSON.parse(await readFile(stateFile(bench()), "utf8"));
    const { latest } = state.checkpoint;
    const resource = latest.resources.find(({ urn }: { urn: string }) =>
      urn.endsWith("-restart-orchestrator-trading-1"),
    );
    latest.pending_operations = [{ resource, type: "updating" }];
    await writeFile(stateFile(bench()), JSON.stringify(state));
    const [found, ...others] = await findings();
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      secret: null,
      cause: "an update was interrupted in the middle of an operation",
      evidence: "updating database-password-restart-orchestrator-trading-1",
      command: "rotation run --stack paper",
      fixable: true,
    });
    expect(await fix()).toContain("done: removed the pending operations from the state");
  });

  it("1: store and database differ; a no changes nothing, --fix writes the value back", async () => {
    const known = await stored(bench(), SECRET);
    await bench().lab.store.put(SECRET, "pasted-wrongly");
    const declined = await onTerminal(bench(), ["diagnose", SECRET, "--fix"], [["Do it?", "n"]]);
    expect(declined.exitCode, declined.shown).toBe(1);
    expect(declined.shown).toContain("declined: nothing was changed");
    expect((await stored(bench(), SECRET)).value).toBe("pasted-wrongly");
    const { found, done } = await mended();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      secret: SECRET,
      cause: "the store and the database differ: the store was changed by hand",
      evidence: expect.stringMatching(/^database\/password has version \d+, written .* UTC; .*\(trader_b logs in\)$/),
      command: "rotation diagnose database/password --fix --stack paper",
      fixable: true,
    });
    expect(done).toContain("the value is back in the store");
    expect((await stored(bench(), SECRET)).value).toBe(known.value);
  });

  it("1: the database refuses the password, and the service that restarted cannot start; --fix fixes both", async () => {
    const { lab } = bench();
    const { value } = await stored(bench(), SECRET);
    await changePassword(bench(), "trader_b", "changed-by-hand");
    await lab.hosts[0]?.systemctl("restart", "signal-service");
    const { found, done } = await mended();
    expect(found[0]).toMatchObject({
      cause: "the database refuses the credential in use: its password was changed",
      evidence: expect.stringContaining('password authentication failed for user "trader_b"'),
      command: "rotation diagnose database/password --fix --stack paper",
    });
    expect(found.map(({ cause }) => cause)).toContainEqual(expect.stringMatching(/^signal-service on trading-1 /));
    expect(done).toContain("trader_b has the password of this stack again; signal-service on trading-1");
    expect(await login(bench(), "trader_b", value)).toBe("ok");
    await lab.healthy();
  });

  it("the login role in use was dropped by hand; --fix creates it again, equal to its owner", async () => {
    const { lab } = bench();
    const { value } = await stored(bench(), SECRET);
    await lab.postgres.query("ALTER ROLE trader SET statement_timeout = '31s'");
    await lab.postgres.query("ALTER ROLE trader IN DATABASE trader SET timezone = 'America/New_York'");
    await lab.postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'trader_b'");
    await lab.postgres.query("DROP ROLE trader_b");
    // Without the run's own login it is not known whether the role exists.
    const blind = await rotation(bench(), ["diagnose", "--json"], { env: { PGPASSWORD: "not-the-one" } });
    expect((JSON.parse(blind.stdout) as { findings: Finding[] }).findings).toContainEqual(
      expect.objectContaining({
        cause: "the database refuses the credential in use: its password was changed",
        evidence: expect.stringMatching(/; whether the role exists is not known: .*password authentication failed/),
      }),
    );
    const { found, done } = await mended();
    expect(found[0]).toMatchObject({
      secret: SECRET,
      cause: "the role in use, trader_b, was dropped from the database",
      command: "rotation diagnose database/password --fix --stack paper",
      fixable: true,
    });
    expect(done).toContain("trader_b is there again");
    const seen = await lab.postgres.session(
      (client) =>
        client.query(
          "SELECT current_user AS acts, current_setting('statement_timeout') AS limit, current_setting('timezone') AS zone",
        ),
      { user: "trader_b", password: value },
    );
    expect(seen.rows).toEqual([{ acts: "trader", limit: "31s", zone: "America/New_York" }]);
    await lab.postgres.query("ALTER ROLE trader RESET statement_timeout");
    await lab.postgres.query("ALTER ROLE trader IN DATABASE trader RESET timezone");
    await lab.healthy();
    // What was taken back on the owner is taken back on the login too.
    expect(await fix()).toContain("done: trader_b has what trader has");
  });

  it("changed by hand in both: `adopt` keeps it, --fix puts back what the stack knows", async () => {
    const { lab } = bench();
    const byHand = async (password: string) => {
      await changePassword(bench(), "trader_b", password);
      await lab.store.put(SECRET, password);
    };
    await byHand("changed-in-both");
    const [found] = await findings();
    expect(found).toMatchObject({
      cause: "the credential was changed by hand, in the database and in the store",
      hint: expect.stringContaining("or keep what was written: `rotation adopt database/password --stack paper`"),
    });
    expect(JSON.stringify(found)).not.toContain("changed-in-both");
    const kept = await fine(bench(), ["adopt", SECRET]);
    expect(unwrapped(kept)).toMatch(/adopted: .*`rotation run --stack paper` makes it the active generation/);
    const run = await rotation(bench(), ["run", "--yes"]);
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    expect(run.stdout).toContain("done database/password: adopted, now at generation 2");
    expect(await login(bench(), "trader_b", "changed-in-both")).toBe("ok");
    expect(await fine(bench(), ["diagnose"])).toBe(CLEAN);

    await byHand("once-more");
    await fix();
    expect((await stored(bench(), SECRET)).value).toBe("changed-in-both");
    expect(await login(bench(), "trader_b", "changed-in-both")).toBe("ok");
  });

  it("2: an external write of another pair; --fix writes the known one back", async () => {
    const { lab } = bench();
    await lab.store.put("alpaca/api_key_id", "PKSOMEBODYELSES00001");
    const { found, done } = await mended();
    expect(found[0]).toMatchObject({
      secret: ALPACA_KEY,
      cause: "the store holds another pair than the one in use: it was written by hand",
      evidence: expect.stringContaining("Alpaca answers 401 to it"),
      fixable: true,
    });
    expect(done).toContain(`the pair ${ADOPTED_LABEL} is back in the store`);
    expect((await stored(bench(), "alpaca/api_key_id")).value).toBe(lab.adoptedAlpaca.keyId);
  });

  it("3: the old key deleted early; --fix restarts every service that may hold it, and logs why", async () => {
    const { lab, stack } = bench();
    const current = pair();
    await stack.configureSecret("alpacaKeys", alpacaKeys(current, suppliedPair(ADOPTED_LABEL, lab.adoptedAlpaca)));
    await fine(bench(), ["run", "--yes"]);
    lab.alpaca.paper.deleteKey(lab.adoptedAlpaca.keyId);
    const restarts = lab.hosts[0]?.restarts.length ?? 0;
    const { found } = await mended();
    expect(found[0]).toMatchObject({
      cause: expect.stringContaining("deleted before its grace period ended"),
      evidence: `Alpaca answers 401 to ${ADOPTED_LABEL}; its grace period ends at 2026-11-24 02:00 UTC`,
      command: "rotation run --stack paper",
    });
    const restarted = lab.hosts[0]?.restarts.slice(restarts).map(({ service }) => service);
    expect(restarted).toEqual(["execution-gateway", "market-data-service", "orchestrator"]);
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      action: "REVOKE",
      secret_name: ALPACA_KEY,
      reason: expect.stringContaining("deleted before its grace period ended"),
    });
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ revoked: true });
  });

  it("2: Alpaca answers 401 to the pair in use: only the operator can fix that, and is told how", async () => {
    const { lab } = bench();
    lab.alpaca.paper.deleteKey((await stored(bench(), "alpaca/api_key_id")).value);
    const { exitCode, stdout } = await rotation(bench(), ["diagnose", ALPACA_KEY, "--fix", "--yes"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("Alpaca answers 401 to the pair in use");
    expect(stdout).toContain("  rotation alpaca add-key --secret alpaca/api_key --stack paper\n");
    expect(stdout).toContain("only you can: run the command above yourself");
    expect(stdout).toContain("Still wrong:");
  });
});
