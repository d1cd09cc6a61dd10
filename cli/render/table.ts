import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";

/** Columns of a terminal that tables fit into. */
export const WIDTH = 80;

/** One column; `flexible` columns wrap where the whole would be too wide. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly flexible?: boolean;
}

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** The narrowest that a flexible column becomes. */
const NARROWEST = 8;

/**
 * A table without lines, at most `width` columns wide: flexible columns wrap, the widest first. Cells may hold colours.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width = WIDTH): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(...[title, ...rows.map((row) => row[index] ?? "")].flatMap((cell) => cell.split("\n").map(lengthOf))),
  );
  shrink(widths, columns, width - 2 * (columns.length - 1));
  const drawn = new Table({
    chars: NO_LINES,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    head: columns.map(({ title }) => title),
    colWidths: widths,
    colAligns: columns.map(({ align }) => align ?? "left"),
  });
  drawn.push(
    ...rows.map((row) => row.map((cell, index) => (columns[index]?.flexible ? wrap(cell, "", widths[index]) : cell))),
  );
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

function shrink(widths: number[], columns: readonly Column[], available: number): void {
  const total = () => widths.reduce((sum, width) => sum + width, 0);
  while (total() > available) {
    const widest = columns.reduce<number>((best, { flexible }, index) => {
      if (!flexible || (widths[index] ?? 0) <= NARROWEST) return best;
      return best === -1 || (widths[index] ?? 0) > (widths[best] ?? 0) ? index : best;
    }, -1);
    if (widest === -1) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

const lengthOf = (text: string) => stripVTControlCharacters(text).length;

/** Breaks a text into lines of at most `width`, between words where it can, each after `indent`. */
export function wrap(text: string, indent = "", width = WIDTH): string {
  const room = Math.max(width - indent.length, 1);
  const lines = text.split("\n").flatMap((paragraph) => {
    const found: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ").flatMap((part) => pieces(part, room))) {
      if (line !== "" && lengthOf(line) + 1 + lengthOf(word) > room) {
        found.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    return [...found, line];
  });
  return lines.map((line) => (indent + line).trimEnd()).join("\n");
}

function pieces(word: string, room: number): string[] {
  if (lengthOf(word) <= room) return [word];
  const plain = stripVTControlCharacters(word);
  return Array.from({ length: Math.ceil(plain.length / room) }, (_, index) =>
    plain.slice(index * room, (index + 1) * room),
  );
}
