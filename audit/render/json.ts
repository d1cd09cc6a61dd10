import type { Report } from "../report";

/** The report as it is, two spaces deep, with a line end; every list a piece an item, so that none is held as a whole. */
export async function* renderJson(report: Report): AsyncGenerator<string> {
  let before = "{\n";
  for (const [key, value] of Object.entries(report)) {
    yield `${before}  ${JSON.stringify(key)}: `;
    if (isList(value)) yield* list(value);
    else yield indented(value, "  ");
    before = ",\n";
  }
  yield "\n}\n";
}

const isList = (value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> =>
  typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);

async function* list(items: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string> {
  let empty = true;
  for await (const item of items) {
    yield `${empty ? "[" : ","}\n    ${indented(item, "    ")}`;
    empty = false;
  }
  yield empty ? "[]" : "\n  ]";
}

const indented = (value: unknown, by: string) => JSON.stringify(value, null, 2).replaceAll("\n", `\n${by}`);
