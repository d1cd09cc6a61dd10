import type { KeyPair } from "../config";
import type { KeyRing } from "./operate/alpaca-keys";
import { UsageError } from "./operate/errors";

/**
 * Asks for a pair, with both halves hidden, or reads it as JSON from stdin if that is no terminal. Never from the command
 * line, which every process of the machine can read.
 *
 * @throws UsageError, which repeats no part of the input
 */
export async function askForPair(ring: Pick<KeyRing, "places" | "now">): Promise<KeyPair> {
  if (!process.stdin.isTTY) return pairFrom(await readAll(process.stdin));
  const { input, password } = await import("@inquirer/prompts");
  const { keyPair } = await import("../kinds/alpaca-key/schema");
  const { places, now } = ring;
  process.stderr.write(`${places.dashboard} → API Keys → Generate New Key. Keep the old key active.\n`);
  const valid = (part: "label" | "keyId" | "secretKey") => (value: string) => {
    const { success, error } = keyPair.shape[part].safeParse(value.trim());
    return success || (error?.issues[0]?.message ?? "invalid value");
  };
  const output = { output: process.stderr };
  const today = `${places.environment}-trading-${now.toISOString().slice(0, 10)}`;
  try {
    const label = await input({ message: "Label on the dashboard", default: today, validate: valid("label") }, output);
    const keyId = await password({ message: "API Key ID", mask: true, validate: valid("keyId") }, output);
    const secretKey = await password({ message: "Secret Key", mask: true, validate: valid("secretKey") }, output);
    return { label: label.trim(), keyId: keyId.trim(), secretKey: secretKey.trim() };
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError")
      throw new UsageError("interrupted; nothing was changed");
    throw error;
  }
}

/** Reads `{ label, keyId, secretKey }`. @throws UsageError that names the invalid parts without their values */
export async function pairFrom(text: string): Promise<KeyPair> {
  const expected = 'expected {"label":...,"keyId":...,"secretKey":...} as JSON on stdin';
  const { keyPair } = await import("../kinds/alpaca-key/schema");
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new UsageError(`${expected}, found ${text.trim() === "" ? "nothing" : "no JSON"}`);
  }
  const { success, data, error } = keyPair.safeParse(given);
  if (success) return data;
  const wrong = error.issues.map(({ path, message }) => `${path.join(".") || "the document"}: ${message}`);
  throw new UsageError(`${expected}, found invalid parts: ${wrong.join("; ")}`);
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
