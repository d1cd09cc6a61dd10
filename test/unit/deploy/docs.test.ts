import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "../../../cli/program";
import { projectRoot } from "../../../cli/toolchain/project";

const FILES = ["README.md", "SECURITY.md", "deploy/README.md", "docs/operations.md", "docs/policy.md"];

/** Every `rotation COMMAND ...` of a text, up to what cannot belong to it. */
const commandsIn = (text: string) =>
  [...text.matchAll(/(?<![-\w])rotation ((?:[a-z][a-z-]*)[^`|\n#]*)/g)].map(([, line = ""]) => line);

/** The command that a line names, as deep as it goes; undefined if there is none. */
function find(words: readonly string[], among: readonly Command[] = createProgram().commands): Command | undefined {
  const command = among.find((one) => one.name() === words[0]);
  return command && (find(words.slice(1), command.commands) ?? command);
}

test.each(FILES)("%s names commands and options that there are, and files that exist", async (file) => {
  const text = await readFile(path.join(projectRoot(), file), "utf8");
  // In prose "rotation" is a word too: only code counts.
  const code = [...text.matchAll(/`+[^`]+`+/g)].map(([part]) => part).join("\n");
  for (const line of commandsIn(code)) {
    const command = find(line.trim().split(/\s+/));
    expect(command, `${file}: rotation ${line}`).toBeDefined();
    const options = [...(command?.options.map(({ long }) => long) ?? []), "--help"];
    expect(options, `${file}: rotation ${line}`).toEqual(expect.arrayContaining(line.match(/--[a-z][\w-]*/g) ?? []));
  }
  for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
    if (!/^https?:/.test(target))
      expect(existsSync(path.join(projectRoot(), path.dirname(file), target)), target).toBe(true);
  }
});

test.each([...FILES, "docs/architecture.md", "docs/alpaca.md", "docs/aws.md", "docs/vault.md", "docs/proof.md"])(
  "%s names scripts of package.json that there are",
  async (file) => {
    const text = await readFile(path.join(projectRoot(), file), "utf8");
    const { scripts } = JSON.parse(await readFile(path.join(projectRoot(), "package.json"), "utf8"));
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = ""]) => name);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  },
);

test("the runbook names every command that people use", async () => {
  const text = await readFile(path.join(projectRoot(), "docs/operations.md"), "utf8");
  const named = commandsIn(text).map((line) => line.split(/\s+/)[0]);
  expect(named).toEqual(expect.arrayContaining(createProgram().commands.map((command) => command.name())));
});
