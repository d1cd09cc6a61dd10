import { expect, it } from "vitest";
import { keyFrom } from "../../../cli/ask-for-key";
import { UsageError } from "../../../cli/operate/errors";

const KEY = { label: "errors-2026-11-20", values: { id: "secret-of-an-id", secret: "secret-of-a-key" } };
const FIELDS = ["id", "secret"];

it("a key from stdin is read as JSON", async () => expect(await keyFrom(JSON.stringify(KEY), FIELDS)).toEqual(KEY));

it.each([
  ["", "found nothing"],
  ["secret-of-nobody", "found no JSON"],
  ["[]", 'expected {"label":...,"values":{"id":...,"secret":...}} as JSON on stdin, found invalid parts'],
  [JSON.stringify({ ...KEY, label: "secret-of-nobody" }), "label: expected a text with a date at its end"],
  [JSON.stringify({ ...KEY, values: { id: KEY.values.id } }), "values.secret: "],
  [
    JSON.stringify({ ...KEY, values: { ...KEY.values, "secret-of-nobody": "x" } }),
    "values: unknown key; expected one of",
  ],
  [
    JSON.stringify({ ...KEY, values: { ...KEY.values, id: "secret-of x" } }),
    "values.id: expected at least 6 characters",
  ],
  [JSON.stringify({ ...KEY, values: { ...KEY.values, id: "secret-of-\u00e9" } }), "values.id: expected at least 6"],
])("%j is refused with nothing of it repeated", async (text, message) => {
  const error = await keyFrom(text, FIELDS).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toContain(message);
  expect(String(error)).not.toMatch(/secret-of/);
});
