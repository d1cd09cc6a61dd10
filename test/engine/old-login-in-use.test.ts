import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { editSettings, fine, rotation, setClock, unwrapped } from "./cli-support";
import { auditRows, login, setDay, setRequest, stateOf, up, useBench } from "./harness";

const SECRET = "database/password";

describe("the old login ends when nobody uses it", () => {
  const bench = useBench();
  const clients: pg.Client[] = [];

  async function connect(user: string, password: string, application_name: string): Promise<pg.Client> {
    const { host, port } = bench().lab.postgres;
    const client = new pg.Client({ host, port, user, password, database: "trader", application_name });
    await client.connect();
    clients.push(client);
    return client;
  }

  afterAll(() => Promise.all(clients.map((client) => client.end().catch(() => undefined))));

  it("an idle connection that nobody has used since the rotation, as a pooler keeps it, is valid", async () => {
    const adopted = String(bench().lab.adopted[SECRET]);
    const pooled = await connect("trader", adopted, "pgbouncer");
    await pooled.query("SELECT 1");
    await up(bench());
    const shown = await fine(bench(), ["validate", SECRET]);
    expect(unwrapped(shown)).toMatch(
      /ok services use it [1-9]\d* sessions? of trader_b.*: .*; 1 idle connection of trader, not used since the rotation/,
    );
    await pooled.query("SELECT 1");
    const { exitCode, stdout } = await rotation(bench(), ["validate", SECRET, "--json"]);
    const [validation] = JSON.parse(stdout) as Validation[];
    expect(exitCode).toBe(1);
    expect(validation?.points.find(({ verdict }) => verdict === "FAILED")?.evidence).toMatch(
      /^1 session of trader, the oldest since .*: pgbouncer from 127\.0\.0\.1, the previous login/,
    );
    await pooled.end();
  });

  it("a job that the config does not name keeps it, and every run says who, from where and until when", async () => {
    const adopted = String(bench().lab.adopted[SECRET]);
    await connect("trader", adopted, "nightly-reconcile");
    await setClock(bench(), 1.1);
    const { stdout, stderr } = await up(bench());
    expect(unwrapped(stdout + stderr)).toMatch(
      /the grace period of trader ended at 2026-11-24T02:00:00.000Z, but it is still in use: nightly-reconcile from 127\.0\.0\.1 since .* from 2026-11-30T02:00:00.000Z on/,
    );
    expect((await stateOf(bench()))?.revoked).toBe(false);
    expect(await login(bench(), "trader", adopted)).toBe("ok");
    const scheduled = await rotation(bench(), ["run", "--if-due", "--yes"]);
    expect(scheduled.exitCode).toBe(0);
    expect(unwrapped(scheduled.stdout + scheduled.stderr)).toMatch(/still in use: nightly-reconcile from 127\.0\.0\.1/);
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT"]);
    const validated = await rotation(bench(), ["validate", SECRET, "--json"]);
    const [validation] = JSON.parse(validated.stdout) as Validation[];
    const old = validation?.points.find(({ point }) => point === "old credential invalid");
    expect(old).toMatchObject({
      verdict: "ok",
      evidence: expect.stringMatching(
        /still valid, since it is in use: nightly-reconcile from 127\.0\.0\.1.*; revoked at 2026-11-30 02:00 UTC/,
      ),
    });
  });

  it("is revoked by the first update that finds it unused", async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
    await expect
      .poll(async () => {
        const { rows } = await bench().lab.postgres.query("SELECT FROM pg_stat_activity WHERE usename = 'trader'");
        return rows.length;
      })
      .toBe(0);
    await fine(bench(), ["run", "--if-due", "--yes"]);
    expect(await login(bench(), "trader", String(bench().lab.adopted[SECRET]))).toBe("28000");
    expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "REVOKE", reason: "grace period over" });
  });

  it("at gracePeriodMax it is revoked in any case, and the row names who was left", async () => {
    await setDay(bench(), 89);
    await up(bench());
    // The previous login is trader_b; nobody knows its password but the stack, so the test sets one of its own.
    await bench().lab.postgres.query("ALTER ROLE trader_b PASSWORD 'of-the-test'");
    await connect("trader_b", "of-the-test", "stuck-pool");
    await setDay(bench(), 94);
    await up(bench());
    expect((await stateOf(bench()))?.revoked).toBe(false);
    await setDay(bench(), 96);
    await up(bench());
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      action: "REVOKE",
      generation: 1,
      reason: expect.stringMatching(/^gracePeriodMax over; still in use by stuck-pool from 127\.0\.0\.1/),
    });
    expect(await login(bench(), "trader_b", "of-the-test")).toBe("28000");
  });

  it("with policy.quietPeriod it is revoked once it was watched and unused for that long, and the row says so", async () => {
    const quarter = 15 / (24 * 60);
    const hour = 97 + 4 * quarter;
    await editSettings(bench(), { policy: { gracePeriod: "1h", quietPeriod: "30m" } });
    await setDay(bench(), 97);
    await setRequest(bench(), { id: "quiet", rotate: true });
    await up(bench());
    await bench().lab.postgres.query("ALTER ROLE trader_a PASSWORD 'of-the-test'");
    const job = await connect("trader_a", "of-the-test", "six-hourly");
    expect(unwrapped(await fine(bench(), ["watch", "--once"]))).toMatch(
      /^database\/password: trader_a is still used by six-hourly from 127\.0\.0\.1 since /,
    );
    expect(unwrapped(await fine(bench(), ["status"]))).toMatch(
      /generation 2 stays usable until 2027-02-28 03:00; it is still used by six-hourly from 127\.0\.0\.1/,
    );
    await job.end();

    // Unused in this moment, but nobody watched for an hour: the run's own look is the first of a new quiet time.
    await setDay(bench(), hour);
    const unwatched = await fine(bench(), ["run", "--if-due", "--yes"]);
    expect(unwrapped(unwatched)).toMatch(
      /the grace period of trader_a ended at 2027-02-28T03:00:00.000Z, but it is still in use: unknown \(watched without a gap only since 2027-02-28 03:00 UTC; policy.quietPeriod is 30m\)\. An update revokes it once/,
    );
    expect(await login(bench(), "trader_a", "of-the-test")).toBe("ok");

    // Used again, for a moment: it begins anew, and the users are named although nobody uses it now.
    const short = await connect("trader_a", "of-the-test", "six-hourly");
    await setDay(bench(), hour + quarter);
    await fine(bench(), ["watch", "--once"]);
    await short.end();
    await setDay(bench(), hour + 2 * quarter);
    const used = await fine(bench(), ["run", "--if-due", "--yes"]);
    expect(unwrapped(used)).toMatch(/still in use: six-hourly from 127\.0\.0\.1, last seen 2027-02-28 03:15 UTC/);

    await setDay(bench(), hour + 3 * quarter);
    await fine(bench(), ["run", "--if-due", "--yes"]);
    expect(await login(bench(), "trader_a", "of-the-test")).toBe("28000");
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      action: "REVOKE",
      generation: 2,
      reason: "unused since 2027-02-28 03:15 UTC, watched without a gap (policy.quietPeriod 30m)",
      outputs: {
        disuse: {
          watchedFrom: "2027-02-28T02:00:00.000Z",
          watchedTo: "2027-02-28T03:45:00.000Z",
          unbrokenSince: "2027-02-28T03:00:00.000Z",
          samples: 5,
          gaps: 1,
          lastUse: "2027-02-28T03:15:00.000Z",
          lastUsers: ["six-hourly from 127.0.0.1"],
        },
      },
    });
    expect(unwrapped(await fine(bench(), ["watch", "--once"]))).toBe("There is no previous login to watch.");
  });
});
