import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";

const root = projectRoot();
const NOT_OURS = new Set([".git", "node_modules", "dist"]);

/** Every file and folder of the project, below its root; a folder ends with a slash. */
const PATHS = pathsBelow("");

function pathsBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.has(name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? [`${folder}${entry.name}/`, ...pathsBelow(`${folder}${entry.name}/`)]
        : [`${folder}${entry.name}`],
    );
}

const FOLDERS = PATHS.filter((path) => /^[^/]+\/$/.test(path)).map((path) => path.replaceAll(".", "[.]"));
const NAMES = new Set(PATHS.map((path) => basename(path)));
const DOCUMENTS = PATHS.filter((path) => /^(docs\/|deploy\/|)[^/]+[.]md$/.test(path) && path !== "CHANGELOG.md");

const textOf = (document: string) => readFileSync(join(root, document), "utf8");
const codeIn = (text: string) => [...text.matchAll(/```[\s\S]*?```|`[^`]+`/g)].map(([code]) => code).join("\n");
const matches = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([found]) => found))];

/** A path of a document, which may have stars, such as `kinds/*\/schema.ts`. */
function exists(path: string, document: string): boolean {
  const wanted = (from: string) =>
    new RegExp(`^${`${from}${path}`.replaceAll(".", "[.]").replaceAll("*", "[^/]+")}/?$`);
  return PATHS.some((known) => wanted("").test(known) || wanted(`${dirname(document)}/`).test(known));
}

it.each(DOCUMENTS)("%s names files and folders that exist", (document) => {
  const code = codeIn(textOf(document));
  const paths = matches(code, new RegExp(`(?<![\\w./~$-])(${FOLDERS.join("|")})[\\w.*@/-]*`, "g"));
  // `kinds/NAME/` stands for a folder that is to be made.
  expect(paths.filter((path) => !/\/NAME\//.test(path) && !exists(path, document))).toEqual([]);
  const names = matches(code, /(?<![\w./*-])[\w-]+[.](ts|cjs|mjs|sh|sql|hcl)(?![\w.])/g);
  expect(names.filter((name) => !NAMES.has(name))).toEqual([]);
});

it("docs/architecture.md names registries by the constants that they have", () => {
  const named = [...textOf("docs/architecture.md").matchAll(/`([\w/-]+[.]ts)`: `([A-Z]+)`/g)];
  expect(named.length).toBeGreaterThan(4);
  const missing = named.filter(([, file = "", name]) => !new RegExp(`^const ${name}\\b`, "m").test(textOf(file)));
  expect(missing.map(([text]) => text)).toEqual([]);
});
