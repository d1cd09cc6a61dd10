import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import ts from "typescript";

/** A command in a message of the sources, with `…` for what is inserted when it is printed. */
export interface Occurrence {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Whether it can be copied: in backticks, or a text of its own. In the middle of a sentence it has no end. */
  readonly delimited: boolean;
}

const FOLDERS = [
  ...["audit", "cli", "clients", "components", "config", "core", "kinds", "policy", "steps", "stores"],
  ...["index.ts", "main.cjs", "dev/toolchain/main.ts", "dev/toolchain/plugins/lab-only.ts"],
];

const ROTATION =
  "adopt|alpaca|approve|audit|calendar|diagnose|evidence|key|log|metrics|plan|preflight|remind|report|rollback|rotate-now|run|status|validate";
const PROGRAMS = [
  `rotation (?:${ROTATION})`,
  "pulumi (?:about|cancel|config|destroy|import|login|plugin|preview|refresh|stack|state|up)",
  "npm (?:ci|install|run)",
  "npx |(?:vault|bao|aws) [a-z-]+|psql [-a-z]|pg_[a-z]+ -|ssh(?:-key[a-z]+)? -|ssh-keyscan",
  "systemctl (?:re|st|en|is)|sudo |kubectl [a-z]|timedatectl|eval |(?:rm|cp|mv|chmod|chown|ls|kill) [-/…]",
  "(?:PG[A-Z]+|VAULT_[A-Z]+|AWS_[A-Z]+)=",
  "ACL SETUSER ",
];
const SQL =
  '(?:GRANT|REVOKE|ALTER|CREATE|DROP|REASSIGN|SELECT|SET ROLE|UPDATE [a-z"]|INSERT INTO|DELETE FROM) ?[A-Za-z"(…*]';
const COMMAND = new RegExp(`^(?:${PROGRAMS.join("|")}|${SQL})`);
/** In a sentence; SQL is a sentence's only after a colon, otherwise it is a statement of this program. */
const BARE = new RegExp(`(?<![\\w./:"-])(?:${PROGRAMS.join("|")})|(?<=[a-z)]: )${SQL}`, "g");
/** A span that only an expression fills may be a command too. */
const FILLED = /^…/;

/** Functions whose argument is the rest of a command, and properties that hold one. */
const CALLS: Readonly<Record<string, string>> = {
  rotationCommand: "rotation ",
  acts: "rotation ",
  "stack.command": "rotation ",
  pulumiCommand: "pulumi ",
};
const PROPERTIES = new Set(["command"]);

/** All commands that a message of the product can name, each once for each file. */
export function scan(): Occurrence[] {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", ...FOLDERS], { encoding: "utf8" }).trim();
  const isCode = (file: string) => /\.(?:ts|cjs)$/.test(file) && file !== "docs";
  return files
    .split("\n")
    .filter(isCode)
    .flatMap((file) => commandsOf(file, readFileSync(file, "utf8")));
}

/** The same of one source. */
export function commandsOf(file: string, code: string): Occurrence[] {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true);
  const found = new Map<string, Occurrence>();
  const add = (node: ts.Node, text: string, delimited: boolean) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    const plain = text.replace(/\s+/g, " ").trim();
    if (!found.has(plain)) found.set(plain, { file, line, text: plain, delimited });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    const text = textOf(node);
    if (text !== undefined && !isPart(node))
      for (const [command, delimited] of commandsIn(text)) add(node, command, delimited);
    const begin = ts.isCallExpression(node) ? CALLS[node.expression.getText()] : undefined;
    if (begin !== undefined) {
      const last = (node as ts.CallExpression).arguments.at(-1);
      for (const words of last === undefined ? [] : alternatives(last)) add(node, begin + words, true);
    }
    if (ts.isPropertyAssignment(node) && PROPERTIES.has(node.name.getText())) {
      for (const words of alternatives(node.initializer)) if (!COMMAND.test(words)) add(node, words, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...found.values()];
}

/** Those of a message: each span in backticks, and each that stands in the sentence or is a text of its own. */
function commandsIn(text: string): [string, boolean][] {
  const spans = [...text.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.trim());
  const commands = spans.filter((span) => COMMAND.test(span) || FILLED.test(span));
  const rest = text.replaceAll(/`[^`]+`/g, "``");
  const bare = [...rest.matchAll(BARE)].map(({ index }): [string, boolean] => {
    const before = rest.slice(0, index);
    return [rest.slice(index).split("\n")[0] ?? "", /(?:^|\n)\s*$/.test(before)];
  });
  return [...commands.map((command): [string, boolean] => [command, true]), ...bare];
}

/** Whether a larger text contains this one. */
const isPart = ({ parent }: ts.Node): boolean =>
  (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.PlusToken) ||
  (ts.isArrayLiteralExpression(parent) && textOf(parent) !== undefined);

/** The text of a literal, a template, a sum or a list of lines; undefined for anything else. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join("");
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textOf(node.left), textOf(node.right)];
    return left === undefined && right === undefined ? undefined : `${left ?? "…"}${right ?? "…"}`;
  }
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 1) {
    const lines = node.elements.map(textOf);
    return lines.every((line) => line?.includes(" ")) ? lines.join(" ") : undefined;
  }
  return undefined;
}

/** The texts that an expression may be; what is computed elsewhere is `…`. */
function alternatives(node: ts.Expression): string[] {
  if (ts.isConditionalExpression(node)) return [...alternatives(node.whenTrue), ...alternatives(node.whenFalse)];
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return alternatives(node.body);
  if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) return [];
  if (ts.isCallExpression(node) && node.expression.getText() in CALLS) return [];
  const text = textOf(node);
  return [text ?? `… ${node.getText().replace(/\s+/g, " ")}`];
}
