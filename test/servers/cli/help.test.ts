import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../../cli/program";

function* all(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* all(child);
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

describe("--help", () => {
  const commands = [...all(createProgram())];

  it.each(commands.map((command) => [command.name(), command] as const))(
    "%s has an example and a description",
    (_, command) => {
      const text = helpOf(command);
      expect(text).toMatch(/\nExample:\n {2}(?:[A-Z]+=\S+ )*rotation /);
      expect(command.description().length).toBeGreaterThan(10);
      expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
  );

  it("ends quietly if nobody reads on", async () => {
    const command = `'${process.execPath}' dist/cli/rotation.mjs --help`;
    const { stderr } = await promisify(execFile)("/bin/sh", ["-c", `${command} | true; ${command} | head -n 1`]);
    expect(stderr).toBe("");
  });

  it("every command that acts or tells takes --stack and --json", () => {
    // Evidence is verified, and a kind is made and tested, without a project.
    const apart = (command: Command) => command.name() === "verify" || command.parent?.name() === "kinds";
    const leaves = commands.filter((command) => command.commands.length === 0 && !apart(command));
    leaves.push(...commands.filter((command) => command.name() === "verify" && command.parent?.name() === "audit"));
    for (const command of leaves) {
      const flags = command.options.map(({ long }) => long);
      expect(flags, command.name()).toEqual(expect.arrayContaining(["--stack", "--json", "--cwd"]));
    }
  });
});
