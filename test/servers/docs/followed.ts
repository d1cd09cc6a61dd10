import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { commandsOf } from "../../unit/docs/commands";
import type { FreshStack, Ran } from "./fresh-stack";

type Words = Readonly<Record<string, string>>;

/** What becomes of a command of a document: it is run, or it is not, for a reason. */
export type Decision =
  | { readonly not: string }
  | {
      /** What stands there for something of the reader's, and what it is here. */
      readonly as?: Words | (() => Words);
      /** What the text around the command tells its reader to do first. */
      readonly first?: (stack: FreshStack) => Promise<unknown>;
      /** 0 by default. */
      readonly exitCode?: number;
      /** What it says. */
      readonly says?: RegExp;
      /** What else holds after it. */
      readonly after?: (ran: Ran, stack: FreshStack) => unknown;
    };

interface Options {
  /** The part of the document that is followed; all of it by default. */
  readonly part?: (text: string) => string;
  /** As {@link Decision}'s `as`, in every command that has it. */
  readonly everywhere?: Words;
}

/** Commands that ask, where nobody can answer. */
const ASKS =
  /\b(pulumi up|pulumi destroy|rotation run|rotation rollback|rotation rotate-now|diagnose --fix)\b(?!.*--yes)/;

/**
 * One test for each command of a document, in their order, on one fresh stack. A command that nothing is decided about
 * fails, and so does a decision about a command that the document no longer has.
 */
export function followed(
  document: string,
  stack: () => FreshStack,
  decisions: Readonly<Record<string, Decision>>,
  { part = (text) => text, everywhere = {} }: Options = {},
): void {
  const commands = commandsOf(part(readFileSync(join(projectRoot(), document), "utf8")));

  it("is decided command by command, and nothing beside", () => {
    const keys = Object.keys(decisions);
    expect(commands.filter(({ text }) => keyOf(keys, text) === undefined)).toEqual([]);
    expect(keys.filter((key) => !commands.some(({ text }) => keyOf([key], text) !== undefined))).toEqual([]);
  });

  for (const { text } of commands) {
    const decision = decisions[keyOf(Object.keys(decisions), text) ?? ""];
    if (decision === undefined || "not" in decision) continue;
    it(text, async () => {
      await decision.first?.(stack());
      const usual = Object.entries(everywhere).reduce((script, [from, to]) => script.replaceAll(from, to), text);
      const ran = await stack().run(answered(replaced(usual, wordsOf(decision.as))));
      expect(ran.exitCode, ran.output).toBe(decision.exitCode ?? 0);
      if (decision.says !== undefined) expect(ran.output).toMatch(decision.says);
      await decision.after?.(ran, stack());
    });
  }
}

/** A key is the whole command, or its beginning with "..." behind. */
const keyOf = (keys: readonly string[], text: string) =>
  keys.find((key) => (key.endsWith(" ...") ? text.startsWith(key.slice(0, -4)) : key === text));

const wordsOf = (as: Words | (() => Words) = {}): Words => (typeof as === "function" ? as() : as);

function replaced(text: string, as: Words): string {
  return Object.entries(as).reduce((script, [from, to]) => {
    expect(script).toContain(from);
    return script.replaceAll(from, () => to);
  }, text);
}

const answered = (script: string) =>
  script
    .split("\n")
    .map((line) => {
      const [command = "", ...comment] = line.split(/(?=\s+# )/);
      return ASKS.test(command) ? `${command.trimEnd()} --yes${comment.join("")}` : line;
    })
    .join("\n");
