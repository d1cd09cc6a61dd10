import { describe, expect, it } from "vitest";
import { startProgress } from "../../../cli/render/progress";

/** A stream that keeps what was written, with a clock that tells a second more at each look. */
function follow(isTTY: boolean, columns = 100) {
  const written: string[] = [];
  let seconds = 0;
  const stream = { isTTY, columns, write: (text: string) => void written.push(text) } as unknown as NodeJS.WriteStream;
  const progress = startProgress(stream, { now: () => 1000 * seconds++ });
  return { progress, written };
}

/** What stays on a terminal: lines that were ended, without those that were drawn over. */
const kept = (written: readonly string[]) =>
  written.filter((text) => text.endsWith("\n")).map((text) => text.replaceAll("\r\x1b[K", "").trimEnd());

describe("progress", () => {
  it("keeps each finished phase with its time, of every secret by itself", () => {
    for (const isTTY of [true, false]) {
      const { progress, written } = follow(isTTY);
      progress.step("reading the stack");
      progress.step("a: checking", "a");
      progress.step("b: checking", "b");
      progress.step("a: restarting one", "a");
      progress.failed("a");
      progress.step("checking what holds now");
      progress.stop();
      const lines = kept(written).filter((line) => /^(done|stopped)/.test(line));
      expect(lines.map((line) => line.replace(/ \(.*/, ""))).toEqual([
        "done    reading the stack",
        "done    a: checking",
        "stopped a: restarting one",
        "stopped b: checking",
        "done    checking what holds now",
      ]);
      expect(lines.every((line) => /\(\d+(\.\d)? s\)$/.test(line))).toBe(true);
    }
  });

  it("elsewhere than on a terminal nothing is drawn over, and each beginning is a line", () => {
    const { progress, written } = follow(false);
    progress.step("one");
    progress.step("one");
    progress.note("note: seen");
    progress.stop();
    expect(written).toEqual(["one\n", "note: seen\n", expect.stringMatching(/^done {4}one \(/)]);
  });

  it("on a terminal no line is wider than it", () => {
    for (const columns of [40, 80, 200]) {
      const { progress, written } = follow(true, columns);
      progress.step(`database/password: ${"restarting signal-service on trading-1 ".repeat(8)}`, "a");
      progress.note("note: ".concat("word ".repeat(60)));
      progress.stop();
      const lines = written
        .join("")
        .replaceAll("\x1b[K", "")
        .split(/[\r\n]/);
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
    }
  });

  it("what is only waited for leaves no line, and with --json there is none at all", () => {
    const { progress, written } = follow(true);
    progress.step("reading");
    progress.stop("unsaid");
    expect(kept(written)).toEqual([]);
    const quiet = startProgress(process.stderr, { quiet: true });
    quiet.step("nothing");
    quiet.stop();
  });
});
