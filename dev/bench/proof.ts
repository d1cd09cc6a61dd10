import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../cli/toolchain/project";

/** The page that the runs write: one section each, between markers. */
export const PROOF_PAGE = join(projectRoot(), "docs", "proof.md");

/**
 * Replaces the text between `<!-- NAME:begin -->` and `<!-- NAME:end -->` of docs/proof.md; everything else stays.
 *
 * @throws Error if the page does not have exactly one pair of these markers.
 */
export async function writeSection(name: string, markdown: string, page = PROOF_PAGE): Promise<void> {
  const text = await readFile(page, "utf8");
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [before, rest, more] = text.split(begin);
  const [, after, yetMore] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined || more !== undefined || yetMore !== undefined) {
    throw new Error(`expected one "${begin}" and, after it, one "${end}" in ${page}; put them around the section`);
  }
  const temporary = `${page}.${process.pid}.tmp`;
  await writeFile(temporary, `${before}${begin}\n\n${markdown.trim()}\n\n${end}${after}`);
  await rename(temporary, page);
}
