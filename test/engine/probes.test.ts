import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeWords } from "../../core/probes";
import { startLab } from "../../dev/lab/lab";
import { DEFAULT_SERVICES } from "../../dev/lab/platform";
import { poll } from "../../dev/lab/poll";
import { ProbeLife } from "../../dev/prove/probes/life";
import { resolveToolchain } from "../../dev/toolchain/resolve";
import { rotation } from "./cli-support";
import { UNCHANGED } from "./harness";

const THRESHOLD = 6;

/** `npm run prove -- probes` does the same fifty times. */
describe("a rotation that is probed while it goes", () => {
  let life: ProbeLife;
  beforeAll(async () => {
    const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
    const services = DEFAULT_SERVICES.filter(({ database }) => database !== undefined);
    const lab = await startLab({ openbao: tools.openbao?.path ?? "", services });
    life = await ProbeLife.begin(lab, { tools }, { rate: "20/s", threshold: THRESHOLD });
  });
  afterAll(async () => {
    await life?.end();
    await life?.lab.stop();
  });

  it("has in its row exactly the logins that were cut, with a plain `pulumi up`", async () => {
    let cut = false;
    const { exitCode, stdout, stderr } = await life.up((text) => {
      if (cut || !text.includes("verify-login")) return;
      cut = true;
      life.drop(3);
    });
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    const [row] = await life.rows(1);
    expect(life.dropped()).toBe(3);
    expect(row).toMatchObject({ status: "SUCCESS", probes: { logins: { failed: 3 } } });
    const { probes } = row ?? {};
    expect(probes?.logins.tried).toBeGreaterThan(20);
    expect(probes?.skipped).toBeUndefined();
    expect(probes?.exposure).toBeUndefined();
    // Each reader's host, over the primary and over the proxy.
    expect(new Set(probes?.ways.map((way) => way.split(" over ")[1])).size).toBe(2);
    expect(probes?.failures?.[0]).toMatchObject({ way: expect.stringContaining("over 127.0.0.1:") });
    // No warning of a client with the old login: the probes are none.
    expect(`${stdout}${stderr}`).not.toContain("logged in as trader since");
    expect(await life.probers()).toEqual([]);
    expect((await life.up()).stdout).toMatch(UNCHANGED);
  });

  it("is followed by JSON lines, by a page, and by the report of the recorded run", async () => {
    const file = join(life.stack.projectDir, "run.html");
    const record = join(life.stack.projectDir, "run.jsonl");
    let during = "";
    const ended = await life.run(["--page", file], (line) => {
      if (line.type !== "restart" || line.state !== "begins" || during !== "") return;
      life.drop(2);
      during = "reading";
      void readFile(file, "utf8").then((text) => {
        during = text;
      });
    });
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(life.dropped()).toBe(2);
    const [row] = await life.rows(1);
    expect(row).toMatchObject({ action: "ROTATE", probes: { logins: { failed: 2 } } });
    expect(ended.result).toMatchObject({ outcome: "done", secrets: [{ probes: row?.probes }] });
    expect(ended.lines.filter(({ type }) => type === "probe").at(-1)).toMatchObject(row?.probes?.logins ?? {});
    expect(during).toContain('http-equiv="refresh"');
    const page = await readFile(file, "utf8");
    expect(page).toContain("2 of ");
    expect(page).not.toContain('http-equiv="refresh"');
    await writeFile(record, ended.lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const bench = { lab: life.lab, stack: life.stack };
    const replayed = await rotation(bench, ["report", "--run", record]);
    expect(replayed.stdout.trimEnd()).toBe(page.trimEnd());
    const report = await rotation(bench, ["report", "--last", "365d", "--format", "markdown"]);
    expect(report.stdout.replaceAll("\\", "")).toContain(probeWords(row?.probes as never));
  });

  it("stops above the threshold, and goes back by itself", async () => {
    const [before] = await life.rows(1);
    let cut = false;
    const { result, exitCode } = await life.run(["--auto-rollback"], (line) => {
      if (cut || line.type !== "phase" || line.phase !== "store") return;
      cut = true;
      life.drop(THRESHOLD + 6);
    });
    expect(result, JSON.stringify(result)).toMatchObject({ outcome: "rolled back" });
    expect(exitCode).toBe(1);
    expect(JSON.stringify(result)).toMatch(/logins of the probes failed, expected at most 6 \(probe\.threshold\)/);
    const [back, failed] = await life.rows(2);
    expect(back).toMatchObject({ action: "ROLLBACK", status: "SUCCESS", generation: before?.generation });
    expect(failed?.status).toBe("FAILED");
    expect(failed?.probes?.logins.failed).toBeGreaterThan(THRESHOLD);
    await life.lab.healthy();
    life.dropped();
  });

  it("leaves no process behind if the engine is killed, and the next update finishes it", async () => {
    await life.stack.configure("request", { id: "killed", secret: "database/password", rotate: true, reason: "test" });
    let pid = 0;
    let killed = false;
    await life.up(
      (text) => {
        if (killed || !text.includes("verify-login")) return;
        killed = true;
        process.kill(pid, "SIGKILL");
      },
      (started) => {
        pid = started;
      },
    );
    expect(killed).toBe(true);
    await poll(async () => (await life.probers()).length === 0 || Promise.reject(new Error("a prober is left")), {
      what: "the end of the probes",
      limitMs: 15_000,
    });
    await life.stack.pulumi(["cancel", "--yes"]);
    const { exitCode, stdout, stderr } = await life.up();
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    expect((await life.rows(1))[0]).toMatchObject({ action: "ROTATE", status: "SUCCESS", probes: { logins: {} } });
    expect(await life.probers()).toEqual([]);
  });
});
