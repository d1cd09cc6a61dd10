import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { atLeast, findOnPath, parseVersion } from "../../../cli/toolchain/find";
import { script, testFolder } from "./support";

const part = fc.nat({ max: 999 });
const version = fc.tuple(part, part, part);
const text = (parts: readonly number[]) => parts.join(".");

test("atLeast is the order of the numbers", () => {
  fc.assert(
    fc.property(version, version, (a, b) => {
      const index = a.findIndex((value, at) => value !== b[at]);
      const expected = index === -1 || (a[index] ?? 0) > (b[index] ?? 0);
      expect(atLeast(text(a), text(b))).toBe(expected);
    }),
  );
});

test("a shorter version counts as filled with zeros", () => {
  expect(atLeast("1.25", "1.25.0")).toBe(true);
  expect(atLeast("1.25", "1.25.11")).toBe(false);
  expect(atLeast("1.26.8", "1.25.11")).toBe(true);
});

test.each([
  ["v3.250.0\n", "3.250.0"],
  ["OpenBao v2.7.2 (9e0a0d3), committed 2026-10-26T20:32:27Z", "2.7.2"],
  ["Vault v1.15.0+ent (abc)", "1.15.0+ent"],
  ["Python 3.11.7", "3.11.7"],
  ["4.0.0-alpha.1", "4.0.0-alpha.1"],
  ["no version here", undefined],
])("parseVersion(%j) is %j", (output, expected) => {
  expect(parseVersion(output)).toBe(expected);
});

test("PATH is searched in order, for executables only, and as far as a file is accepted", async () => {
  const folder = await testFolder();
  const first = await script(path.join(folder, "a"), "tool", "true");
  const second = await script(path.join(folder, "b"), "tool", "true");
  const env = { PATH: ["", folder, path.dirname(first), path.dirname(second)].join(path.delimiter) };
  expect(await findOnPath("tool", env)).toBe(first);
  expect(await findOnPath("tool", env, async (file) => file !== first)).toBe(second);
  expect(await findOnPath("a", env)).toBeUndefined();
  expect(await findOnPath("tool", {})).toBeUndefined();
});
