import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LineContent, type RunLine, runLine } from "../../../cli/render/run-lines";
import { renderRunPage } from "../../../cli/render/run-page";
import { RunPage, recordedPage } from "../../../cli/run-page";

const SECRET = "database/password";
const RUN = "6a2f3c1e-8f6b-4e3a-9d57-0d6a3f1c2b4e";

const lineAt = (second: number, content: LineContent, run = RUN): RunLine =>
  runLine.parse({
    time: new Date(Date.parse("2026-11-23T02:00:00Z") + second * 1000).toISOString(),
    ...{ run, stack: "paper", ...content },
  });

const phase = (second: number, of: "preflight" | "store" | "audit", state: "begins" | "failed" = "begins") =>
  lineAt(second, { type: "phase", secret: SECRET, phase: of, state });
const restart = (second: number, service: string, state: "begins" | "done" | "failed") =>
  lineAt(second, { type: "restart", secret: SECRET, service, host: "trading-1", state });
const probe = (second: number, tried: number, failed: number) =>
  lineAt(second, {
    ...{
      type: "probe",
      secret: SECRET,
      tried,
      failed,
      refused: 0,
      unseen: 0,
      longestGapMs: 40,
      unavailableSeconds: 0.4,
    },
    failures: failed === 0 ? [] : [{ at: "2026-11-23T02:00:12.250Z", way: "api on <b> over primary", words: "cut" }],
  });

const GOING = [
  lineAt(0, { type: "step", text: "reading the stack" }),
  lineAt(2, { type: "plan", secret: SECRET, action: "ROTATE", headline: "rotates from generation 1 to 2" }),
  phase(3, "preflight"),
  phase(6, "store"),
  restart(7, "signal-service", "begins"),
  probe(8, 120, 0),
  restart(9, "signal-service", "done"),
  restart(9, "orchestrator", "begins"),
  probe(10, 1234, 2),
];

const WHOLE = [
  ...GOING,
  restart(12, "orchestrator", "done"),
  phase(13, "audit"),
  lineAt(15, { type: "result", outcome: "done", notes: [], next: [], seconds: 15 }),
];

/** Its text without marks. */
const textOf = (page: string) =>
  page
    .slice(page.indexOf("<body>"))
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("the page of a run", () => {
  it("shows while it goes every phase, restart and probe, and is loaded again by itself", () => {
    const page = renderRunPage(GOING, false);
    expect(page).toContain('http-equiv="refresh"');
    const text = textOf(page);
    expect(text).toContain("10 s so far 1 restarts done 1,234 logins probed 2 of them failed");
    expect(text).toContain("checking everything the rotation will touch 02:00:03 writing the store");
    expect(text).toContain(
      "restarting signal-service on trading-1 02:00:07 restarting orchestrator on trading-1 02:00:09 now",
    );
    expect(text).toContain("2 of 1,234 logins failed longest gap 40 ms, services unavailable 0.4 s");
    expect(page).toContain("api on &lt;b&gt; over primary: cut");
    expect(text.match(/ now /g)).toHaveLength(1);
  });

  it("shows how it ended, needs nothing else, and holds no script", () => {
    const page = renderRunPage(WHOLE, true);
    expect(page).not.toContain("refresh");
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|https?:/);
    expect(textOf(page)).toContain("15 s it took 2 restarts done");
    expect(textOf(page)).not.toContain(" now ");
  });

  it("shows where it failed, what holds, and what to run", () => {
    const failed = [
      ...GOING,
      restart(12, "orchestrator", "failed"),
      lineAt(14, {
        ...{ type: "result", outcome: "failed", notes: [], next: ["rotation run --stack paper"] },
        ...{ failure: { reason: "orchestrator stayed unhealthy" }, situation: "The store holds generation 2." },
      }),
    ];
    const text = textOf(renderRunPage(failed, true));
    expect(text).toContain(
      "failed orchestrator stayed unhealthy The store holds generation 2. rotation run --stack paper",
    );
    expect(text).toContain("restarting orchestrator on trading-1 02:00:09 failed");
  });

  it("says so if the record ends in the middle", () => {
    expect(textOf(renderRunPage(GOING, true))).toContain("The record ends without a result.");
  });
});

describe("the file of the page", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-page-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("is there at once, and in the end has what the recorded run has", async () => {
    const [file, record] = [join(folder, "run.html"), join(folder, "run.jsonl")];
    const page = await RunPage.open(file, () => undefined);
    expect(await readFile(file, "utf8")).toContain("Running.");
    for (const line of WHOLE) page.take(line);
    await page.end();
    const earlier = lineAt(0, { type: "step", text: "another run" }, "0d6a3f1c-8f6b-4e3a-9d57-6a2f3c1e2b4e");
    await writeFile(record, [earlier, ...WHOLE].map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(await readFile(file, "utf8")).toBe(`${(await recordedPage(record)).trimEnd()}\n`);
  });

  it("is refused at once where nothing can be written, and a later fault ends no run", async () => {
    await expect(RunPage.open(join(folder, "none", "run.html"), () => undefined)).rejects.toThrow(/--page: expected/);
    const said: string[] = [];
    const inside = await mkdtemp(join(folder, "gone-"));
    const page = await RunPage.open(join(inside, "run.html"), (why) => void said.push(why));
    await rm(inside, { recursive: true });
    await page.end();
    expect(said).toEqual([expect.stringContaining("the run goes on without it")]);
  });

  it("names the line that is none of a run", async () => {
    const record = join(folder, "wrong.jsonl");
    await writeFile(record, `${JSON.stringify(GOING[0])}\n{"type":"other"}\n`);
    await expect(recordedPage(record)).rejects.toThrow(/line 2 of/);
    await writeFile(record, "");
    await expect(recordedPage(record)).rejects.toThrow(/found none/);
    await expect(recordedPage(join(folder, "missing"))).rejects.toThrow(/--run: expected a file/);
  });
});
