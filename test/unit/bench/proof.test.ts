import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PROOF_PAGE, writeSection } from "../../../dev/bench/proof";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "proof-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const PAGE = "# Proof\n\n<!-- a:begin -->\nold\n<!-- a:end -->\n\n<!-- b:begin -->\n<!-- b:end -->\n";

it("replaces one section and leaves the others, as often as it is run", async () => {
  const page = join(folder, "proof.md");
  await writeFile(page, PAGE);
  await writeSection("a", "\nnew: 100 points, $& and all\n", page);
  const once = await readFile(page, "utf8");
  expect(once).toBe(
    "# Proof\n\n<!-- a:begin -->\n\nnew: 100 points, $& and all\n\n<!-- a:end -->\n\n<!-- b:begin -->\n<!-- b:end -->\n",
  );
  await writeSection("a", "new: 100 points, $& and all", page);
  expect(await readFile(page, "utf8")).toBe(once);
  expect(await readdir(folder)).toEqual(["proof.md"]);
});

it.each(["# Proof\n", "<!-- a:begin -->\n", `${PAGE}<!-- a:begin --><!-- a:end -->`])(
  "refuses a page whose markers are not one pair, and leaves it as it is: %j",
  async (text) => {
    const page = join(folder, "proof.md");
    await writeFile(page, text);
    await expect(writeSection("a", "new", page)).rejects.toThrow(/expected one "<!-- a:begin -->"/);
    expect(await readFile(page, "utf8")).toBe(text);
  },
);

it("has a place for every section that a run writes", async () => {
  const text = await readFile(PROOF_PAGE, "utf8");
  const begun = [...text.matchAll(/<!-- (\w+):begin -->/g)].map(([, name]) => name);
  const ended = [...text.matchAll(/<!-- (\w+):end -->/g)].map(([, name]) => name);
  expect(begun).toEqual(ended);
  expect(new Set(begun).size).toBe(begun.length);
  expect(begun).toEqual(expect.arrayContaining(["crash", "model"]));
});
