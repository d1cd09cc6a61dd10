import { join } from "node:path";
import type * as z from "zod";
import { projectRoot } from "../../cli/toolchain/project";
import { schema } from "../../config/schema";
import { isSecret, partsOf } from "../../core/secret-fields";
import { constant, type Place, read, type WrittenKey } from "./comments";
import { defaultOf, typeOf } from "./words";

export { jsonSchemas } from "./schemas";

type Schema = z.core.$ZodType;

/** One key of the config. */
export interface Row {
  readonly path: string;
  readonly type: string;
  /** Its default; "" for none, undefined if it is mandatory. */
  readonly standard: string | undefined;
  readonly secret: boolean;
  readonly doc: string;
  /** The options (`kind: vault`) that have it; none if all have it. */
  readonly only: readonly string[];
}

/** A schema and its source. */
interface Subject {
  readonly schema: Schema;
  /** A list for a union whose options are listed flat, in one list with those of the unions around it. */
  readonly place: Place | readonly Place[] | undefined;
}

const typeOfSchema = (one: Schema) => (one as z.core.$ZodTypes)._zod.def.type;

/** The rows below a schema. */
function rowsBelow({ schema: one, place }: Subject, path: string, secret = false): Row[] {
  const written = place === undefined || isList(place) ? undefined : read(place);
  const { keys, entry, same } = partsOf(one);
  const hidden = secret || isSecret(one);
  if (Object.keys(keys).length > 0) {
    return Object.entries(keys).flatMap(([key, part]) => rowsOf(part, written?.keys.get(key), dot(path, key), hidden));
  }
  if (entry !== undefined) {
    const below = typeOfSchema(one) === "array" ? `${path}[]` : dot(path, "NAME");
    return rowsBelow({ schema: entry, place: written?.entry }, below, hidden);
  }
  if (typeOfSchema(one) === "union") {
    const places = placesOf(same, place !== undefined && isList(place) ? place : (written?.options ?? []));
    const options = same.map((option, index) => ({
      name: nameOfOption(option, one),
      rows: rowsBelow({ schema: option, place: places[index] }, path, hidden),
    }));
    return merged(options);
  }
  return same.flatMap((part) => rowsBelow({ schema: part, place }, path, hidden));
}

const isList = (place: Place | readonly Place[]): place is readonly Place[] => Array.isArray(place);

/** How many options a schema has, with those of its options. */
const countOf = (one: Schema): number =>
  typeOfSchema(one) === "union" ? partsOf(one).same.reduce((sum, option) => sum + countOf(option), 0) : 1;

/** The place of each option; if they are listed flat, an option that has some itself gets a list. */
function placesOf(options: readonly Schema[], places: readonly Place[]): (Place | readonly Place[] | undefined)[] {
  if (options.length === places.length) return [...places];
  let next = 0;
  return options.map((option) => {
    const count = countOf(option);
    next += count;
    return count === 1 ? places[next - 1] : places.slice(next - count, next);
  });
}

const dot = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

function rowsOf(one: Schema, written: WrittenKey | undefined, path: string, hidden: boolean): Row[] {
  const below = rowsBelow({ schema: one, place: written?.place }, path, hidden);
  const own: Row = {
    path,
    type: below.length === 0 ? typeOf(one) : shapeOf(one),
    standard: defaultOf(one),
    secret: hidden || marked(one),
    doc: written?.doc ?? "",
    only: [],
  };
  return [own, ...below];
}

/** Whether each of its values is a secret, in a map or a list too. */
function marked(one: Schema): boolean {
  const { entry, same } = partsOf(one);
  return isSecret(one) || (entry !== undefined && marked(entry)) || same.some(marked);
}

/** Rows of a schema that has keys of its own. */
function shapeOf(one: Schema): string {
  const { entry, same } = partsOf(one);
  if (typeOfSchema(one) === "array") return "list";
  if (entry !== undefined) return "object by name";
  return same.map(shapeOf)[0] ?? "object";
}

/** What tells an option from the others: `kind: vault`. */
function nameOfOption(option: Schema, union: Schema): string {
  const def = (union as z.core.$ZodTypes)._zod.def;
  const key = "discriminator" in def ? String(def.discriminator) : "";
  const values = valuesOf(option, key).join(", ").replaceAll("`", "").replaceAll(", ", " | ");
  return values === "" ? "" : `\`${key}: ${values}\``;
}

/** The schema of a key in an option, or in each of those that the option is made of. */
function valuesOf(option: Schema, key: string): string[] {
  const { keys, same } = partsOf(option);
  const own = keys[key];
  return [...new Set(own === undefined ? same.flatMap((part) => valuesOf(part, key)) : [typeOf(own)])];
}

interface OptionRows {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** The rows of all options; a key that all of them have in the same way is one row. */
function merged(options: readonly OptionRows[]): Row[] {
  const found = new Map<string, { row: Row; names: string[] }>();
  for (const { name, rows } of options) {
    for (const row of rows) {
      const same = JSON.stringify({ ...row, standard: row.standard ?? null });
      found.set(same, { row, names: [...(found.get(same)?.names ?? []), name] });
    }
  }
  return [...found.values()].map(({ row, names }) => ({
    ...row,
    only: names.length === options.length || row.only.length > 0 ? row.only : names,
  }));
}

/** Every key of the config, in the schema's order. A key without a comment repeats another one in a new place. */
export function allRows(): Row[] {
  const rows = rowsBelow({ schema, place: constant(join(projectRoot(), "config", "schema.ts"), "schema") }, "");
  return rows.map((row) => {
    const other = rows.find(({ path }) => row.path.endsWith(`.${path}`));
    return row.doc === "" && other !== undefined ? { ...row, doc: `As \`${other.path}\`, for this one alone.` } : row;
  });
}

const cell = (text: string) => text.replaceAll("|", "\\|");

function lineOf({ path, type, standard, secret, doc, only }: Row): string {
  const needed = standard === undefined ? "**mandatory**" : standard;
  const about = [
    ...(only.length === 0 ? [] : [`Only with ${only.join(" or ")}.`]),
    ...(secret && !/^Secret\./.test(doc) ? ["Secret."] : []),
    doc,
  ];
  return `| \`${path}\` | ${cell(type)} | ${needed} | ${cell(about.join(" ").trim())} |`;
}

const INTRODUCTION = `# Config reference

Every key of a stack's config. \`npm run docs\` generates this page from the schema in \`config/\`; a test fails if it is stale.
All keys are in the namespace \`secret-rotation\`: the key \`policy.maxAge\` is set with

\`\`\`sh
pulumi config set --path secret-rotation:policy.maxAge 60d
\`\`\`

\`NAME\` stands for a name that you choose, and \`[]\` for each entry of a list. A key without a default is optional unless it
says mandatory. A mandatory key below an optional one is mandatory only if the optional one is set. Set keys marked *Secret*
with \`pulumi config set --secret\`; no message, log or audit row ever repeats their value.
`;

/** The page, in Markdown. */
export function referencePage(): string {
  const sections = new Map<string, Row[]>();
  for (const row of allRows()) {
    const [top = ""] = row.path.split(/[.[]/);
    sections.set(top, [...(sections.get(top) ?? []), row]);
  }
  const tables = [...sections].map(([top, rows]) =>
    [
      `## ${top}`,
      "",
      "| Key | Type | Default | What it is |",
      "| --- | --- | --- | --- |",
      ...rows.map(lineOf),
      "",
    ].join("\n"),
  );
  return `${INTRODUCTION}\n${tables.join("\n")}`;
}
