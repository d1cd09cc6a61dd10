import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import ts from "typescript";

/** An expression that makes a schema, and the file that it is in. */
export interface Place {
  readonly node: ts.Expression;
  readonly file: ts.SourceFile;
}

/** A key as it is written: its doc comment, and where its schema is. */
export interface WrittenKey {
  readonly doc: string;
  readonly place: Place;
}

/** The parts of a schema, as its source has them. */
export interface Written {
  readonly keys: ReadonlyMap<string, WrittenKey>;
  readonly entry: Place | undefined;
  readonly options: readonly Place[];
}

const NOTHING: Written = { keys: new Map(), entry: undefined, options: [] };

const files = new Map<string, ts.SourceFile>();

function open(path: string): ts.SourceFile {
  const file = files.get(path) ?? ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  files.set(path, file);
  return file;
}

/** The value of a constant in a file of the config. @throws Error if there is none */
export function constant(path: string, name: string): Place {
  const found = find(open(path), name);
  if (found === undefined) throw new Error(`${path} has no constant ${name}`);
  return found.place;
}

/** The constant of that name: of the file, or of the one that it is imported from. */
function find(file: ts.SourceFile, name: string): WrittenKey | undefined {
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      const declared = statement.declarationList.declarations.find(({ name: one }) => one.getText() === name);
      if (declared?.initializer) return { doc: docOf(statement), place: { node: declared.initializer, file } };
    }
    if (ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier)) {
      const bindings = statement.importClause?.namedBindings;
      const imported = bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
      const one = imported.find((element) => element.name.text === name);
      const from = statement.moduleSpecifier.text;
      if (one && from.startsWith(".")) {
        return find(open(`${join(dirname(file.fileName), from)}.ts`), (one.propertyName ?? one.name).text);
      }
    }
  }
  return undefined;
}

/** A node's doc comment as one paragraph; "" if it has none. */
function docOf(node: ts.Node): string {
  const text = node.getSourceFile().text;
  const comments = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  const doc = comments.map(({ pos, end }) => text.slice(pos, end)).filter((comment) => comment.startsWith("/**"));
  const lines = (doc.at(-1) ?? "/***/").slice(3, -2).split("\n");
  return lines
    .map((line) => line.replace(/^\s*\* ?/, "").trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** Takes one level of a schema's source apart. */
export function read({ node, file }: Place): Written {
  const at = (inner: ts.Expression | undefined): Place | undefined => inner && { node: inner, file };
  const on = (inner: ts.Expression | undefined): Written => (inner ? read({ node: inner, file }) : NOTHING);
  if (ts.isIdentifier(node)) {
    const found = find(file, node.text);
    return found ? read(found.place) : NOTHING;
  }
  if (ts.isObjectLiteralExpression(node)) return { ...NOTHING, keys: keysOf(node, file) };
  if (ts.isAsExpression(node)) return on(node.expression);
  if (ts.isPropertyAccessExpression(node)) return on(node.expression);
  if (!ts.isCallExpression(node)) return NOTHING;
  const [first, second] = node.arguments;
  const { expression: called } = node;
  if (!ts.isPropertyAccessExpression(called)) return on(first);
  if (called.expression.getText() !== "z") {
    const own = on(called.expression);
    if (called.name.text !== "extend") return own;
    return { ...own, keys: new Map([...own.keys, ...on(first).keys]) };
  }
  const choices = (list: ts.Expression | undefined) => (list ? elementsOf({ node: list, file }) : []);
  switch (called.name.text) {
    case "array":
      return { ...NOTHING, entry: at(first) };
    case "record":
      return { ...NOTHING, entry: at(second) };
    case "union":
      return { ...NOTHING, options: choices(first) };
    case "discriminatedUnion":
      return { ...NOTHING, options: choices(second) };
    case "preprocess":
      return on(second);
    default:
      return on(first);
  }
}

/**
 * The elements of a list; of a list by name (`ALL`); of one part of each element (`each(ALL, "config")`); the schema of each
 * entry of a registry (`optionsOf(ALL)`), each once.
 */
function elementsOf({ node, file }: Place): Place[] {
  if (ts.isArrayLiteralExpression(node)) return node.elements.map((element) => ({ node: element, file }));
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) return elementsOf({ node: node.expression, file });
  if (ts.isIdentifier(node)) {
    const found = find(file, node.text);
    return found ? elementsOf(found.place) : [];
  }
  const [list, key] = ts.isCallExpression(node) ? node.arguments : [];
  if (list !== undefined && key === undefined) {
    const schemas = [...read({ node: list, file }).keys.values()].flatMap(
      ({ place }) => read(place).keys.get("schema") ?? [],
    );
    return [...new Map(schemas.map(({ place }) => [place.node, place])).values()];
  }
  if (list === undefined || key === undefined || !ts.isStringLiteral(key)) return [];
  return elementsOf({ node: list, file }).flatMap((element) => read(element).keys.get(key.text)?.place ?? []);
}

function keysOf(node: ts.ObjectLiteralExpression, file: ts.SourceFile): Map<string, WrittenKey> {
  const keys = new Map<string, WrittenKey>();
  for (const property of node.properties) {
    if (ts.isSpreadAssignment(property)) {
      for (const [key, written] of read({ node: property.expression, file }).keys) keys.set(key, written);
    } else if (ts.isPropertyAssignment(property) || ts.isShorthandPropertyAssignment(property)) {
      const value = ts.isPropertyAssignment(property) ? property.initializer : property.name;
      // The constant's own comment, if the key has none.
      const doc = docOf(property) || docOfConstant(value, file);
      keys.set(property.name.getText(), { doc, place: { node: value, file } });
    }
  }
  return keys;
}

function docOfConstant(node: ts.Expression, file: ts.SourceFile): string {
  if (ts.isIdentifier(node)) {
    const found = find(file, node.text);
    // What a name or a duration may look like is its type.
    return found === undefined || basename(found.place.file.fileName) === "schema-parts.ts" ? "" : found.doc;
  }
  return ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)
    ? docOfConstant(node.expression.expression, file)
    : "";
}
