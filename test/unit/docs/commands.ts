/** A command that a document tells its reader to run. */
export interface DocCommand {
  /** A fenced block of a shell, or a code span in the text or in a table. */
  readonly kind: "block" | "span";
  /** As it is written; a span on one line. */
  readonly text: string;
}

/** A fenced block, whose language is the first group and whose text is the second; or a code span, the third. */
const CODE = /^( *)```(\w*)\n([\s\S]*?)^\1```$|`([^`]+)`/gm;
const SHELL = new Set(["sh", "bash", "console"]);
/** How a command begins, after its variables. */
const COMMAND = /^([A-Z_]+=\S+ )*(npx rotation|rotation|pulumi|npm|npx|psql|vault|bao|aws) [a-z-]/;

/** All commands of a document, in their order, each once. */
export function commandsOf(markdown: string): DocCommand[] {
  const found = new Map<string, DocCommand>();
  for (const [, indent = "", language = "", block, span] of markdown.matchAll(CODE)) {
    if (block !== undefined && SHELL.has(language)) {
      const text = block.replaceAll(new RegExp(`^${indent}`, "gm"), "").trim();
      found.set(text, { kind: "block", text });
    }
    const text = span?.replaceAll(/\s+/g, " ").trim();
    if (text !== undefined && COMMAND.test(text) && !found.has(text)) found.set(text, { kind: "span", text });
  }
  return [...found.values()];
}
