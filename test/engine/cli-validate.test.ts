import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { fine, json, rotation, setClock, tooWide, unwrapped } from "./cli-support";
import { useBench } from "./harness";

const SECRET = "database/password";

describe("rotation validate: the runbook's checklist, each point broken once", () => {
  const bench = useBench({ rotates: "both" });
  const query = (sql: string) => bench().lab.postgres.query(sql);

  /** The points that fail, with their evidence. */
  async function failing(secret = SECRET): Promise<Record<string, string>> {
    const { exitCode, stdout, stderr } = await rotation(bench(), ["validate", secret, "--json"]);
    const [validation] = JSON.parse(stdout) as Validation[];
    const points = validation?.points.filter(({ verdict }) => verdict === "FAILED") ?? [];
    expect(exitCode, stdout + stderr).toBe(points.length === 0 ? 0 : 1);
    return Object.fromEntries(points.map(({ point, evidence }) => [point, evidence]));
  }

  it("of a stack that has taken nothing over yet fails and says what to run", async () => {
    const { exitCode, stdout } = await rotation(bench(), ["validate"]);
    expect([exitCode, unwrapped(stdout)]).toEqual([1, expect.stringContaining("yet: `rotation run`")]);
  });

  it("after the first run every point holds, with its evidence", async () => {
    const { lab, stack } = bench();
    const [host] = lab.hosts;
    await stack.configure("validation", {
      logs: `cat ${join(host?.dir ?? "", "{service}.errors")} 2>/dev/null; true`,
      paperRun: { command: "orchestrator --dry-run", host: host?.name },
    });
    await fine(bench(), ["run", "--yes"]);
    const shown = await fine(bench(), ["validate"]);
    expect(tooWide(shown)).toEqual([]);
    for (const line of [
      /^database\/password: valid$/m,
      /^ok +secret updated +database\/username version 1, database\/password/m,
      /^ok +new credential works +trader_b logs in/m,
      /^ok +services use it +[1-9]\d* sessions? of trader_b/m,
      /^ok +old credential invalid +still valid, as intended, until 2026-11-24/m,
      /^ok +services healthy +signal-service on trading-1 \(secrets from/m,
      /^ok +logs clean +no authentication error since 2026-11-23/m,
      /^ok +trading functional +orchestrator --dry-run: exit 0/m,
      /^ok +rotation logged +row 1: ADOPT SUCCESS by/m,
      /^alpaca\/api_key: valid$/m,
      /^ok +new credential works +Alpaca answers 200/m,
    ])
      expect(shown).toMatch(line);
    const results = await json<Validation[]>(bench(), ["validate"]);
    expect(results.map(({ secret, ok }) => [secret, ok])).toEqual([
      [SECRET, true],
      [ALPACA_KEY, true],
    ]);
  });

  it("the grace period over and the old login still there: named until an update ends it", async () => {
    await setClock(bench(), 1.1);
    expect(await failing()).toEqual({
      "old credential invalid": expect.stringContaining(
        "its grace period ended at 2026-11-24 02:00 UTC and it still works",
      ),
    });
    await fine(bench(), ["run", "--yes"]);
    const shown = await fine(bench(), ["validate", SECRET]);
    expect(shown).toMatch(/^ok +old credential invalid +refused: trader cannot log in/m);
    await query("ALTER ROLE trader LOGIN");
    expect(await failing()).toEqual({
      "old credential invalid": expect.stringContaining("it still works although it was ended"),
    });
    await query("ALTER ROLE trader NOLOGIN");
  });

  it("a service that still works with the old login", async () => {
    const { lab } = bench();
    const { value } = (await lab.store.get("database/password")) ?? { value: "" };
    // It reads the old login while that is in the store, and keeps it.
    await query("ALTER ROLE trader LOGIN");
    await lab.store.put("database/username", "trader");
    await lab.store.put("database/password", lab.adopted[SECRET] ?? "");
    await lab.hosts[0]?.systemctl("restart", "signal-service");
    await lab.healthy();
    await lab.store.put("database/username", "trader_b");
    await lab.store.put("database/password", value);
    expect(await failing()).toEqual({
      "services use it": expect.stringMatching(/^[1-9]\d* sessions? of trader, .*the previous login/),
      "old credential invalid": expect.stringContaining("it still works although it was ended"),
    });
    const mended = await rotation(bench(), ["diagnose", SECRET, "--fix", "--yes"]);
    expect(mended.exitCode, mended.stdout + mended.stderr).toBe(0);
    expect(unwrapped(mended.stdout)).toContain("systemctl restart signal-service; systemctl restart orchestrator");
    await query("ALTER ROLE trader NOLOGIN");
    expect(await failing()).toEqual({});
  });

  it("an unhealthy service, errors in its log, a paper run that fails", async () => {
    const { lab, stack } = bench();
    const [host] = lab.hosts;
    await host?.setFault("orchestrator", { kind: "never-healthy" });
    await stack.configure("validation", {
      logs: "echo 'FATAL: password authentication failed'",
      paperRun: { command: "exit 3" },
    });
    const found = await failing();
    expect(found["services healthy"]).toMatch(/orchestrator on trading-1: .*unhealthy/);
    expect(found["logs clean"]).toBe("signal-service on trading-1: FATAL: password authentication failed");
    expect(found["trading functional"]).toMatch(/exit/);
    expect(Object.keys(found)).toHaveLength(3);
    await host?.setFault("orchestrator", undefined);
    await stack.configure("validation", undefined);
    const shown = await fine(bench(), ["validate", SECRET]);
    expect(shown).toMatch(/^skipped +logs clean +not in the config$/m);
  });

  it("another value in the store", async () => {
    const { lab } = bench();
    const before = (await lab.store.get("alpaca/api_key_id")) ?? { value: "" };
    await lab.store.put("alpaca/api_key_id", "PKSOMEBODYELSES00001");
    expect(await failing(ALPACA_KEY)).toEqual({
      "secret updated": expect.stringMatching(
        /^alpaca\/api_key_id holds another value \(version \d+\); `rotation diagnose`/,
      ),
      "new credential works": "Alpaca answers 401 to the pair in the store",
    });
    await lab.store.put("alpaca/api_key_id", before.value);
    expect(await failing(ALPACA_KEY)).toEqual({});
  });
});
