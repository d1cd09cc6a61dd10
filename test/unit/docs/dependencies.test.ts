import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";

const textOf = (file: string) => readFileSync(join(projectRoot(), file), "utf8");
const { dependencies, devDependencies, scripts } = JSON.parse(textOf("package.json")) as Record<
  string,
  Readonly<Record<string, string>>
>;

const FOLDERS = ["core", "config", "clients", "stores", "components", "kinds", "steps", "audit", "cli", "policy"];
const sources = [...FOLDERS, "dev", "docs", "test"].flatMap((folder) =>
  readdirSync(join(projectRoot(), folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /[.][cm]?ts$|[.][cm]js$/.test(file) && !file.includes("node_modules"))
    .map((file) => textOf(join(folder, file))),
);
const all = [...sources, textOf("index.ts"), textOf("main.cjs"), textOf("sdk-on-demand.cjs")].join("\n");

/** The program that a package is started as, if it is not its own name. */
const PROGRAMS: Readonly<Record<string, string>> = { "@biomejs/biome": "biome", "dependency-cruiser": "depcruise" };

it("every dependency is imported, is started by a script, or is the types of one", () => {
  const unused = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    if (name === "@types/node") return false;
    const imported = name.replace(/^@types[/]/, "");
    const started = Object.values(scripts ?? {}).some((script) => script.includes(PROGRAMS[name] ?? name));
    return !started && !["/", '"', "'", "`"].some((end) => all.includes(`"${imported}${end}`));
  });
  expect(unused).toEqual([]);
});
