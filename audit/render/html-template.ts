/** HTML that is safe to put into a page. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | null | undefined | readonly Part[];

/** A template of HTML: every value in it is escaped, in text and in quoted attributes, unless it is {@link Html} itself. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.map((text, index) => text + asText(parts[index])).join(""));
}

function asText(part: Part): string {
  if (part === null || part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return escapeHtml(String(part));
  return part.map(asText).join("");
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as HTML. Control characters, which HTML does not allow, become spaces. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Surrogate}]/gu, (character) => (/[\n\t]/.test(character) ? character : " "))
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
