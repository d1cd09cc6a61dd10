import * as z from "zod";
import type { Placed } from "../../core/config-part";
import type { Problem } from "../../core/problem";

/** The values of the config's `adopted`, a JSON object; undefined if it is none with exactly these names. */
export function adoptedValues(names: readonly string[], text: string): Readonly<Record<string, string>> | undefined {
  try {
    const values: unknown = JSON.parse(text);
    const result = z.strictObject(Object.fromEntries(names.map((name) => [name, z.string().min(1)]))).safeParse(values);
    return result.data as Readonly<Record<string, string>> | undefined;
  } catch {
    return undefined;
  }
}

/** The values in use are other than a JSON object with these names. */
export function adoptedProblems(
  { adopted }: { readonly adopted: Readonly<Record<string, string>> },
  { secret: { name } }: Placed<{ readonly name: string }>,
  names: readonly string[],
): Problem[] {
  const text = adopted[name];
  if (text === undefined || adoptedValues(names, text) !== undefined) return [];
  const message = `expected JSON with the values in use, {${names.map((one) => `"${one}":"..."`).join(",")}}, found another text`;
  return [{ path: ["adopted", name], message }];
}
