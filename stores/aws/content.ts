import { type Content, whereabouts } from "../../core/store-content";

/** What an AWS secret holds, whose whole text is the value. @param text undefined for binary data */
export function awsContent(text: string | undefined): Content {
  if (text === undefined) return { kind: "unusable", why: "it holds binary data; expected the bare text of the value" };
  const parsed = parse(text);
  if (typeof parsed !== "object" || parsed === null) return { kind: "value", value: text, generation: undefined };
  const found = Array.isArray(parsed) ? "it is a JSON array" : `it is JSON: ${whereabouts(Object.keys(parsed))}`;
  return { kind: "unusable", why: `${found}; expected the bare text of the value` };
}

/** The JSON document that an AWS secret holds; undefined if it holds none. */
export function awsDocument(text: string | undefined): string | undefined {
  const parsed = text === undefined ? undefined : parse(text);
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? text : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
