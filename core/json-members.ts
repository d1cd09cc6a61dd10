/**
 * The members of a JSON object, each value as its original text: an object that is rebuilt from them keeps numbers that
 * JavaScript cannot hold (`12345678901234567890`, `1.0`) byte for byte.
 *
 * @param json the text of an object that `JSON.parse` takes.
 * @returns key to text, in the object's order; the last of two equal keys counts, as for `JSON.parse`
 * @throws SyntaxError if the text is not JSON, or not an object
 */
export function jsonMembers(json: string): Map<string, string> {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new SyntaxError("expected an object");
  const members = new Map<string, string>();
  let at = skip(json, json.indexOf("{") + 1);
  while (json[at] !== "}") {
    const keyEnd = endOfValue(json, at);
    const key = JSON.parse(json.slice(at, keyEnd)) as string;
    const start = skip(json, skip(json, keyEnd) + 1);
    const end = endOfValue(json, start);
    members.set(key, json.slice(start, end));
    at = skip(json, end);
    if (json[at] === ",") at = skip(json, at + 1);
  }
  return members;
}

/** The object with these members. */
export const jsonObject = (members: ReadonlyMap<string, string>): string =>
  `{${[...members].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`;

function skip(json: string, from: number): number {
  let at = from;
  while (/\s/.test(json[at] ?? "")) at++;
  return at;
}

/** Where the value that begins at `start` ends; the text is known to be JSON. */
function endOfValue(json: string, start: number): number {
  let depth = 0;
  for (let at = start; ; at++) {
    const character = json[at] ?? "";
    if (character === '"') at = endOfString(json, at);
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    if (depth > 0) continue;
    if ('"}]'.includes(json[at] ?? "x")) return at + 1;
    // A number or a word ends before what separates it.
    if (/[\s,}\]]|^$/.test(json[at + 1] ?? "")) return at + 1;
  }
}

/** The position of the quote that ends a string. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}
