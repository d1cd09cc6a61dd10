import { expect, test } from "vitest";
import { elapsed, Progress } from "../../../cli/toolchain/progress";
import { poll } from "../../../dev/lab/poll";

test.each([
  [0, "0 s"],
  [43_900, "43 s"],
  [60_000, "1 min 0 s"],
  [310_000, "5 min 10 s"],
])("%i ms reads %s", (milliseconds, text) => {
  expect(elapsed(milliseconds)).toBe(text);
});

test("without a terminal a line comes at the start and then at intervals, and none after the end", async () => {
  const lines: string[] = [];
  const progress = new Progress({ line: (text) => void lines.push(text) }, { line: 10, rewrite: 10 });
  const result = await progress.during("building it", "about 5 minutes", async () => {
    await poll(() => lines.length >= 3, { what: "three lines", limitMs: 60_000 });
    return "built";
  });
  expect(result).toBe("built");
  expect(lines[0]).toBe("building it … (about 5 minutes)");
  expect(lines[1]).toBe("building it … 0 s (about 5 minutes)");
});

test("on a terminal one line is rewritten and cleared at the end, also after a failure", async () => {
  const shown: string[] = [];
  const sink = { line: () => undefined, rewrite: (text: string) => void shown.push(text) };
  const progress = new Progress(sink, { line: 10, rewrite: 10 });
  const failing = progress.during("building it", undefined, async () => {
    await poll(() => shown.length >= 2, { what: "a rewrite", limitMs: 60_000 });
    throw new Error("no compiler");
  });
  await expect(failing).rejects.toThrow("no compiler");
  expect(shown[0]).toBe("building it … 0 s");
  expect(shown.at(-1)).toBe("");
});

test("on a terminal, what goes on at the same time is in one line", async () => {
  const shown: string[] = [];
  const sink = { line: () => undefined, rewrite: (text: string) => void shown.push(text) };
  const progress = new Progress(sink, { line: 10, rewrite: 10 });
  const both = "building it … 0 s (about 5 minutes); installing it … 0 s";
  const seen = () => poll(() => shown.includes(both), { what: "both in one line", limitMs: 60_000 });
  await Promise.all([
    progress.during("building it", "about 5 minutes", seen),
    progress.during("installing it", undefined, async () => {
      await seen();
      const alone = () => /^installing it … \d+ s$/.test(shown.at(-1) ?? "");
      await poll(alone, { what: "the longer one alone", limitMs: 60_000 });
    }),
  ]);
  expect(shown.at(-1)).toBe("");
});
