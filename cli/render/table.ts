import { stripVTControlCharacters } from "node:util";

/** Width of texts and tables: the terminal's, else 80. */
export const WIDTH = process.stdout.isTTY ? Math.max(process.stdout.columns || 80, 40) : 80;

/** One column; `flexible` columns wrap if the table would be too wide. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly flexible?: boolean;
}

/** The least width of a flexible column. */
const NARROWEST = 8;

/**
 * A table without lines, at most `width` columns wide: flexible columns wrap, the widest first. Cells may hold colours.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width = WIDTH): string {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, ...(row[index] ?? "").split("\n").map(lengthOf)), lengthOf(title)),
  );
  shrink(widths, columns, width - 2 * (columns.length - 1));
  const drawn = [columns.map(({ title }) => title), ...rows].flatMap((row) => {
    const cells = columns.map(({ flexible }, index) => linesOf(row[index] ?? "", flexible ? widths[index] : undefined));
    return Array.from({ length: Math.max(...cells.map(({ length }) => length)) }, (_, line) =>
      cells
        .map((lines, index) => padded(lines[line] ?? "", widths[index] ?? 0, columns[index]?.align))
        .join("  ")
        .trimEnd(),
    );
  });
  return drawn.join("\n");
}

// A colour around a whole cell.
// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one
const PAINTED = /^((?:\x1b\[[\d;]*m)+)(.*?)((?:\x1b\[[\d;]*m)+)$/s;

/** The lines of a cell, wrapped at `width`; each is painted by itself, so that no colour leaks into the next cell. */
function linesOf(cell: string, width: number | undefined): string[] {
  const [, on = "", text = cell, off = ""] = PAINTED.exec(cell) ?? [];
  const lines = (width === undefined ? text : wrap(text, "", width)).split("\n");
  return lines.map((line) => on + line + off);
}

function padded(cell: string, width: number, align: Column["align"] = "left"): string {
  const space = " ".repeat(Math.max(width - lengthOf(cell), 0));
  return align === "right" ? space + cell : cell + space;
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
