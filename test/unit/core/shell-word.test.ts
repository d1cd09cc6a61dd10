import fc from "fast-check";
import { expect, it } from "vitest";
import { quoted, unquoted } from "../../../core/shell-word";

it.each(["restart.sh", "user@host", "100%", "+x", "key=value", "a:b", "a,b", "/etc/ssl/ca-1.pem", "A_9"])(
  "leaves %s as it is",
  (word) => {
    expect(quoted(word)).toBe(word);
  },
);

it.each([
  ["", "''"],
  ["a b", "'a b'"],
  ["$HOME", "'$HOME'"],
  ["word;", "'word;'"],
  ["two\nlines", "'two\nlines'"],
  ["it's", "'it'\\''s'"],
  ["''", "''\\'''\\'''"],
])("quotes %j", (text, word) => {
  expect(quoted(text)).toBe(word);
});

/** What a shell makes of a word: nothing but a single quote ends what is in single quotes. */
function read(word: string): string {
  if (!word.startsWith("'")) {
    expect(word).toMatch(/^[A-Za-z0-9_@%+=:,./-]+$/);
    return word;
  }
  const parts = word.slice(1, -1).split("'\\''");
  for (const part of parts) expect(part).not.toContain("'");
  return parts.join("'");
}

it("is read by a shell as the text that it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab'\\ $;é") }), (text) => {
      expect(read(quoted(text))).toBe(text);
      expect(unquoted(quoted(text))).toBe(text);
    }),
  );
});
