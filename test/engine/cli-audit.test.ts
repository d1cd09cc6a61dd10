import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WholeReport } from "../../audit/report";
import type { ChainVerdict } from "../../audit/verify";
import { quoted } from "../../core/shell-word";
import { advised } from "../advice/table";
import { startBrowser } from "../servers/audit/browser";
import { shell } from "./advice";
import { editSettings, fine, json, rotation, setClock, tooWide } from "./cli-support";
import { approvalTests, evidenceTests } from "./evidence-support";
import { auditRows, up, useBench } from "./harness";

const DATABASE = "database/password";
const bench = useBench({ rotates: "both" });

/** The platform was there before: its log begins with rows of the runbook, older than the retention of two years. */
const OLD_ROWS = `
  INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status)
  SELECT '${DATABASE}', 'ops-user', timestamptz '2022-01-01T09:00:00Z' + n * interval '90 days', 'SUCCESS'
  FROM generate_series(0, 2) AS n`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-audit-"));
  await bench().lab.postgres.query(OLD_ROWS);
  await up(bench());
  await setClock(bench(), 89);
  await up(bench());
  await setClock(bench(), 95);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The log's owner, by a password file: no environment holds the administrator's password. */
async function asOwner() {
  const { host, port, adminUser, adminPassword } = bench().lab.postgres;
  const passwords = join(folder, "pgpass");
  await writeFile(passwords, `${host}:${port}:*:${adminUser}:${adminPassword}\n`, { mode: 0o600 });
  return { env: { PGUSER: adminUser, PGPASSWORD: undefined, PGPASSFILE: passwords } };
}

/** A line as its owner gives it to a shell. */
async function asOwnerInShell(line: string) {
  const { PGPASSFILE } = (await asOwner()).env;
  return shell(bench(), `unset PGPASSWORD; export PGPASSFILE=${quoted(PGPASSFILE)}; ${line}`);
}

/** What a superuser can do: SQL with every trigger of the log out of force. */
const tamper = (sql: string) => bench().lab.postgres.query(`SET session_replication_role = replica; ${sql}`);

describe("rotation log", () => {
  it("writes the row of a rotation by hand, with the runbook's own command line", async () => {
    const args = ["--secret-name", DATABASE, "--rotated-by", "ops-user", "--rotation-date", "2027-02-20T14:30:00Z"];
    const text = await fine(bench(), ["log", ...args, "--reason", "the vault was moved"]);
    expect(text).toMatch(
      /^Row 7: database\/password SUCCESS by ops-user, 2027-02-20 14:30 UTC; hash [0-9a-f]{16}\.\.\.$/,
    );
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      id: "7",
      secret_name: DATABASE,
      rotated_by: "ops-user",
      status: "SUCCESS",
      action: "MANUAL",
      stack: "paper",
      environment: "paper",
      reason: "the vault was moved",
    });
  });

  it.each([
    [["--secret-name", "nope"], "no secret has the name nope; expected one of database/password, alpaca/api_key"],
    [["--secret-name", DATABASE, "--rotation-date", "2027-02-20 14:30"], "expected a date with its offset"],
    [["--secret-name", DATABASE, "--rotation-date", "2031-01-01T00:00:00Z"], "expected a date in the past"],
    [["--secret-name", DATABASE, "--status", "DONE"], "Allowed choices are SUCCESS, FAILED, ROLLED_BACK"],
    [[], "required option '--secret-name <name>' not specified"],
  ])("refuses %j and writes nothing", async (args, message) => {
    const { exitCode, stderr } = await rotation(bench(), ["log", ...args]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(await auditRows(bench())).toHaveLength(7);
  });
});

describe("rotation report", () => {
  it("as a table of 80 columns", async () => {
    const text = await fine(bench(), ["report", "--last", "94d"]);
    expect(tooWide(text)).toEqual([]);
    expect(text).toMatch(/^2026-11-24 02:00 to 2027-02-26 02:00 UTC: 2 rotations, 0 failures, 0 rollbacks\n/);
    expect(text).toMatch(/\ndatabase\/password +within limit +5\.5 of 90 days +2 +0 +0\n/);
    expect(text).toMatch(/\nalpaca\/api_key +overdue +98\.1 of 90 days +0 +0 +0\n/);
    expect(text).toMatch(/\n +6 +2027-02-20 02:00 +database\/password +ROTATE SUCCESS +2 +\S+ +[\d.]+ s\n/);
    expect(text).toContain("The chain is intact: 7 rows");
    expect(text).toMatch(/NOT SUPPORTED PCI DSS 3\.6\.4: .*alpaca\/api_key\sreached\s98\.1/s);
  });

  it("as JSON, with the same figures; nothing but the report on stdout", async () => {
    const report = await json<WholeReport>(bench(), ["report", "--last", "94d"]);
    expect(report).toMatchObject({
      totals: { secrets: 2, rows: 2, rotations: 2, failures: 0, rollbacks: 0 },
      chain: { valid: true, guarded: true, rows: 7, problems: [] },
      secrets: [
        { name: DATABASE, strategy: "alternating-users", store: "vault", standing: "ok", withinLimit: true },
        { name: "alpaca/api_key", strategy: "supplied-key", madeAt: "2026-11-20T00:00:00.000Z", standing: "overdue" },
      ],
    });
    expect(report.rows.map(({ id, action }) => `${id} ${action}`)).toEqual(["6 ROTATE", "7 MANUAL"]);
    const other = await fine(bench(), ["report", "--last", "94d", "--format", "json"]);
    expect((JSON.parse(other) as WholeReport).secrets).toEqual(report.secrets);
  });

  it("as CSV and Markdown", async () => {
    const csv = (await fine(bench(), ["report", "--last", "94d", "--format", "csv"])).split("\r\n");
    expect(csv).toHaveLength(3);
    expect(csv[0]).toMatch(/^"id","secretName","rotatedBy","rotationDate","status"/);
    const markdown = await fine(bench(), ["report", "--last", "94d", "--format", "markdown"]);
    expect(markdown).toContain("| database/password (paper) | within limit | 5.5 of 90 days |");
  });

  it("as a page that a browser opens without a complaint or a request, with its timeline, also on a phone", async () => {
    const file = join(folder, "report.html");
    expect(await fine(bench(), ["report", "--last", "94d", "--format", "html", "--out", file])).toBe(`${file} written`);
    const { browser, stop } = await startBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 400, height: 800 } });
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => {
        const url = request.url();
        if (!url.startsWith("data:") && url !== pathToFileURL(file).href) complaints.push(url);
      });
      await page.goto(pathToFileURL(file).href, { waitUntil: "networkidle" });
      expect(complaints).toEqual([]);
      expect(await page.locator(".lane svg[role=img] rect").count()).toBeGreaterThan(3);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(400);
      expect(await page.locator("h1").textContent()).toBe("Secret rotation report");
    } finally {
      await stop();
    }
    expect(await readFile(file, "utf8")).not.toContain(bench().lab.adopted[DATABASE]);
  });

  it("refuses a time and a format that are none", async () => {
    const time = await rotation(bench(), ["report", "--last", "3x"]);
    expect([time.exitCode, time.stderr]).toEqual([2, expect.stringContaining("expected a time such as 90d or 24h")]);
    const format = await rotation(bench(), ["report", "--format", "pdf"]);
    expect([format.exitCode, format.stderr]).toEqual([2, expect.stringContaining("table, json, csv, markdown, html")]);
  });
});

describe("rotation calendar and metrics", () => {
  it("write a feed with alarms for every secret, and metrics that say the same as the status", async () => {
    const feed = await fine(bench(), ["calendar"]);
    expect(feed).toMatch(/^BEGIN:VCALENDAR\r?\n/);
    expect(feed.match(/BEGIN:VALARM/g)).toHaveLength(4);
    expect(feed).toMatch(/UID:paper-database-password-rotation@secret-rotation/);
    expect(feed.replaceAll(/\r?\n[ ]/g, "")).toContain("rotation alpaca add-key --stack paper");

    const file = join(folder, "rotation.prom");
    expect(await fine(bench(), ["metrics", "--verify", "--out", file])).toBe("");
    const metrics = await readFile(file, "utf8");
    const labels = 'stack="paper",environment="paper"';
    expect(metrics).toContain(`secret_rotation_age_seconds{${labels},secret="${DATABASE}"} ${6 * 86_400}\n`);
    expect(metrics).toContain(`secret_rotation_state{${labels},secret="alpaca/api_key",state="overdue"} 1\n`);
    expect(metrics).toContain(`secret_rotation_audit_chain_valid{${labels}} 1\n`);
  });
});

describe("rotation audit verify", () => {
  it("says that nobody touched the log, held to what the stack's state noted", async () => {
    const text = await fine(bench(), ["audit", "verify"]);
    expect(text).toMatch(/^The chain is intact: 7 rows\.\n/);
    expect(text).toContain("Rows compared with the hashes that the stack's state holds: 2.");
    expect(tooWide(text)).toEqual([]);
  });

  it.each([
    ["changed", "UPDATE secret_rotation_log SET status = 'FAILED' WHERE id = 4", "4", "changed"],
    ["deleted", "DELETE FROM secret_rotation_log WHERE id = 5", "5", "deleted"],
    [
      "inserted",
      "INSERT INTO secret_rotation_log (id, secret_name, rotated_by, rotation_date, status, previous_hash, hash) VALUES (8, 'a', 'b', now(), 'SUCCESS', '', '')",
      "8",
      "inserted",
    ],
    [
      "reordered",
      "UPDATE secret_rotation_log SET id = CASE id WHEN 4 THEN -6 ELSE -4 END WHERE id IN (4, 6); UPDATE secret_rotation_log SET id = -id WHERE id < 0",
      "4",
      "reordered",
    ],
  ])("names a row that a superuser %s", async (_, sql, row, what) => {
    await bench().lab.postgres.query("CREATE TABLE kept AS TABLE secret_rotation_log");
    await tamper(sql);
    const { exitCode, stdout } = await rotation(bench(), ["audit", "verify"]);
    const verdict = await json<ChainVerdict>(bench(), ["audit", "verify"]);
    const report = await fine(bench(), ["report"]);
    const csv = await rotation(bench(), ["report", "--format", "csv"]);
    const which = await shell(bench(), advised("rotation audit verify", csv.stderr));
    expect([which.exitCode, which.stdout]).toEqual([1, stdout]);
    await tamper("DELETE FROM secret_rotation_log; INSERT INTO secret_rotation_log TABLE kept; DROP TABLE kept");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^The log was tampered with: \d problems? in \d rows\.\n/);
    expect(stdout).toMatch(new RegExp(`\\n +${row} +${what} +row ${row} `));
    expect(tooWide(stdout)).toEqual([]);
    expect(verdict.problems[0]).toMatchObject({ id: Number(row), kind: what });
    expect(report).toContain("The log was tampered with");
    expect(csv.stderr).toMatch(
      /^warning: The log was tampered with: \d problems? in \d rows\. .* `rotation audit verify/,
    );
    await fine(bench(), ["audit", "verify"]);
  });
});

describe("rotation audit prune", () => {
  it("keeps two years, asks before it removes, is for the owner alone, and logs what it removed", async () => {
    const young = await rotation(bench(), ["audit", "prune", "--before", "2026-01-01", "--yes"]);
    expect([young.exitCode, young.stderr]).toEqual([2, expect.stringContaining("rows of the last two years are kept")]);
    const unasked = await rotation(bench(), ["audit", "prune", "--before", "2023-01-01"]);
    expect([unasked.exitCode, unasked.stderr]).toEqual([2, expect.stringContaining("add --yes")]);
    const pipeline = await rotation(bench(), ["audit", "prune", "--before", "2023-01-01", "--yes"]);
    expect([pipeline.exitCode, pipeline.stderr]).toEqual([
      1,
      expect.stringContaining("its owner may: run this again with `PGUSER="),
    ]);
    expect(await auditRows(bench())).toHaveLength(7);
    const as = advised("the same command again", pipeline.stderr);
    const { exitCode, stdout } = await asOwnerInShell(`${as} rotation audit prune --before 2023-01-01 --yes`);
    expect([exitCode, stdout]).toEqual([
      0,
      "3 rows from before 2023-01-01 removed; the log records it as a PRUNE row.",
    ]);
    expect(await fine(bench(), ["audit", "prune", "--before", "2023-01-01", "--yes"])).toBe(
      "No row is older than 2023-01-01; nothing was removed.",
    );
    const rows = await auditRows(bench());
    expect(rows.map(({ id }) => id)).toEqual(["4", "5", "6", "7", "8"]);
    expect(rows.at(-1)).toMatchObject({ action: "PRUNE", outputs: { removed: 3, throughId: 3 } });
    expect(await fine(bench(), ["audit", "verify"])).toContain("Rows up to 3 were removed by retention");
    // It is data of the log, not of a secret: nothing else speaks of it.
    expect((await rotation(bench(), ["status"])).stdout).not.toContain("PRUNE");
  });
});

evidenceTests(bench, () => folder, tamper);
approvalTests(bench, () => folder);

describe("rotation audit migrate", () => {
  it("makes the log of a database that has none, as its owner, once", async () => {
    const { host, port } = bench().lab.postgres;
    expect(await fine(bench(), ["audit", "migrate"], await asOwner())).toBe("The log is up to date.");
    await bench().lab.postgres.query("CREATE DATABASE elsewhere");
    await editSettings(bench(), { audit: { host, port, name: "elsewhere", sslmode: "disable" } });
    const missing = await rotation(bench(), ["audit", "verify"], await asOwner());
    expect([missing.exitCode, missing.stderr]).toEqual([
      1,
      expect.stringContaining("there is no secret_rotation_log yet"),
    ]);
    const refused = await rotation(bench(), ["preflight", "database/password"]);
    const migrates = advised("rotation audit migrate", refused.stdout);
    const { adminUser } = bench().lab.postgres;
    const made = await asOwnerInShell(migrates.replace("ADMIN", adminUser));
    expect([made.exitCode, made.stdout], made.stderr).toEqual([0, expect.stringContaining("secret-rotation-log")]);
    const grants = advised("sql: GRANT rotation_audit_writer", refused.stdout);
    await bench().lab.postgres.query(grants, [], "elsewhere");
    expect((await rotation(bench(), ["preflight", "database/password"])).stdout).toContain(
      "secret_rotation_log takes rows",
    );
    const again = await rotation(bench(), ["audit", "migrate"], await asOwner());
    expect(again).toEqual({ exitCode: 0, stdout: "The log is up to date.", stderr: "" });
    // It is another log than the one that this stack wrote into.
    const verified = await rotation(bench(), ["audit", "verify"], await asOwner());
    expect([verified.exitCode, verified.stdout]).toEqual([
      1,
      expect.stringContaining("row 5, which was noted elsewhere, is missing"),
    ]);
  });
});
