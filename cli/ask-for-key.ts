import type { z } from "zod";
import type { ApiKeyConfig, KeyPair } from "../config";
import type { AlpacaPlaces } from "../kinds/alpaca-key/places";
import type { SuppliedKey } from "../kinds/issuer/supplied-kind";
import { UsageError } from "./operate/errors";
import type { KeyRing } from "./operate/supplied-keys";

/** A question to a person. */
interface Question {
  readonly message: string;
  /** What an answer must be. */
  readonly schema: z.ZodType;
  /** Shown, and taken if the answer is empty. Undefined: the answer is a secret, and hidden. */
  readonly usual?: string;
}

/**
 * Asks for a pair, with both halves hidden, or reads it as JSON from stdin if that is no terminal. Never from the command
 * line, which every process of the machine can read.
 *
 * @throws UsageError, which repeats no part of the input
 */
export async function askForPair({ places, now }: { places: AlpacaPlaces; now: Date }): Promise<KeyPair> {
  if (!process.stdin.isTTY) return pairFrom(await readAll(process.stdin));
  const { keyPair } = await import("../kinds/alpaca-key/schema");
  process.stderr.write(`${places.dashboard} → API Keys → Generate New Key. Keep the old key active.\n`);
  const { label, keyId, secretKey } = keyPair.shape;
  const [named = "", id = "", secret = ""] = await answers([
    { message: "Label on the dashboard", schema: label, usual: `${places.environment}-trading-${today(now)}` },
    { message: "API Key ID", schema: keyId },
    { message: "Secret Key", schema: secretKey },
  ]);
  return { label: named, keyId: id, secretKey: secret };
}

/** Asks for a key, with its values hidden, or reads it as JSON from stdin if that is no terminal. @throws UsageError */
export async function askForKey({ secret, now }: Pick<KeyRing<ApiKeyConfig>, "secret" | "now">): Promise<SuppliedKey> {
  const { fields, name, dashboard } = secret;
  if (!process.stdin.isTTY) return keyFrom(await readAll(process.stdin), fields);
  const { keyLabel, keyValue } = await import("../kinds/issuer/schema");
  if (dashboard !== undefined) process.stderr.write(`Make a new key at ${dashboard}. Keep the old key.\n`);
  const [label = "", ...values] = await answers([
    { message: "Label", schema: keyLabel, usual: `${name.replaceAll("/", "-")}-${today(now)}` },
    ...fields.map((field) => ({ message: field, schema: keyValue })),
  ]);
  return { label, values: Object.fromEntries(fields.map((field, index) => [field, values[index] ?? ""])) };
}

const today = (now: Date) => now.toISOString().slice(0, 10);

/** @throws UsageError if the person interrupts */
async function answers(questions: readonly Question[]): Promise<string[]> {
  const { input, password } = await import("@inquirer/prompts");
  const given: string[] = [];
  try {
    for (const { message, schema, usual } of questions) {
      const validate = (value: string) => {
        const { success, error } = schema.safeParse(value.trim());
        return success || (error?.issues[0]?.message ?? "invalid value");
      };
      const output = { output: process.stderr };
      const answer =
        usual === undefined
          ? await password({ message, mask: true, validate }, output)
          : await input({ message, default: usual, validate }, output);
      given.push(answer.trim());
    }
    return given;
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError")
      throw new UsageError("interrupted; nothing was changed");
    throw error;
  }
}

/** Reads `{ label, keyId, secretKey }`. @throws UsageError that names the invalid parts without their values */
export async function pairFrom(text: string): Promise<KeyPair> {
  const { keyPair } = await import("../kinds/alpaca-key/schema");
  return jsonFrom(text, keyPair, '{"label":...,"keyId":...,"secretKey":...}');
}

/** Reads `{ label, values }`. @throws UsageError that names the invalid parts without their values */
export async function keyFrom(text: string, fields: readonly string[]): Promise<SuppliedKey> {
  const { suppliedKeyOf } = await import("../kinds/issuer/schema");
  const values = fields.map((field) => `"${field}":...`).join(",");
  return jsonFrom(text, suppliedKeyOf(fields), `{"label":...,"values":{${values}}}`);
}

function jsonFrom<T>(text: string, schema: z.ZodType<T>, form: string): T {
  const expected = `expected ${form} as JSON on stdin`;
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new UsageError(`${expected}, found ${text.trim() === "" ? "nothing" : "no JSON"}`);
  }
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const wrong = error.issues.map(({ path, message }) => `${path.join(".") || "the document"}: ${message}`);
  throw new UsageError(`${expected}, found invalid parts: ${wrong.join("; ")}`);
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
