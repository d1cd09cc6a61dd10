import { UsageError } from "../errors";
import { FORMATS, type Format, github } from "./formats";
import { isObject, stringsIn } from "./json";

/** A text in which a credential may have leaked. */
export interface LeakText {
  /** For people: a file and line, an address, or what the input is. */
  readonly where: string;
  readonly text: string;
}

/** What was read. */
export interface Report {
  /** What it was read as. */
  readonly format: string;
  readonly findings: number;
  /** Whether it is a webhook of GitHub, which can be signed. */
  readonly isWebhook: boolean;
  /** How many of them do not contain the value that was found. */
  readonly withoutValue: number;
  /** How to get their values; undefined if all are there. */
  readonly next?: string;
  readonly texts: readonly LeakText[];
}

const EXPECTED =
  "expected gitleaks JSON, SARIF, a payload of GitHub's secret scanning or of GitGuardian, any other JSON, or the value itself";

/**
 * Reads what a scanner reports; anything that is no JSON is searched as a text. Every text in a finding counts, whatever its
 * key is called.
 *
 * @param leaked the command that reads a report, for messages
 * @param file the file's name. Default: a value that was typed or piped
 * @throws UsageError for an empty, binary or torn input; none of it is in the message
 */
export function readReport(bytes: Buffer, leaked: string, file?: string): Report {
  const source = file ?? "the input";
  const input = decoded(bytes);
  if (input.trim() === "") throw new UsageError(`${source} is empty: ${EXPECTED}`);
  if (input.includes("\0")) throw new UsageError(`${source} is binary: ${EXPECTED}`);
  const document = documentIn(input);
  if (document !== undefined) return reportOf(document, leaked);
  // A typed value may begin with a bracket; a document that ends early has a key or an object after it.
  if (file === undefined ? /^\s*(?:\{\s*"[^"\n]*"\s*:|\[\s*\{)/.test(input) : /^\s*[[{]/.test(input))
    throw new UsageError(
      `${source} begins as JSON and is none: it is torn or was cut off after ${input.trim().length} characters; ${EXPECTED}`,
    );
  const text = { where: file ?? "the value given", text: input.trim() };
  return { format: "text", findings: 1, isWebhook: false, withoutValue: 0, texts: [text] };
}

/** Windows' shells write UTF-16, and a mark before UTF-8. */
const decoded = (bytes: Buffer): string =>
  (bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString("utf16le") : bytes.toString("utf8")).replace(/^\uFEFF/, "");

function documentIn(input: string): unknown {
  if (!/^\s*[[{]/.test(input)) return undefined;
  const whole = parsed(input);
  if (whole !== undefined) return whole;
  // JSON Lines, as trufflehog prints them.
  const lines = input.split("\n").filter((line) => line.trim() !== "");
  const objects = lines.map(parsed);
  return lines.length > 1 && objects.every(isObject) ? objects : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its message has a part of the text.
    return undefined;
  }
}

function reportOf(document: unknown, leaked: string): Report {
  const [format, findings] = formatOf(document);
  const without = findings.filter((finding) => !format.hasValue(finding));
  const texts = findings.flatMap((finding) => {
    const where = format.place(finding) ?? "the input";
    return stringsIn(finding).map((text) => ({ where, text }));
  });
  const [first] = without;
  return {
    format: format.name,
    findings: findings.length,
    isWebhook: format === github && isObject(document) && isObject(document.alert),
    withoutValue: without.length,
    ...(first === undefined ? {} : { next: format.next(first, leaked) }),
    texts,
  };
}

function formatOf(document: unknown): [Format, readonly unknown[]] {
  for (const format of FORMATS) {
    const findings = format.findings(document);
    if (findings !== undefined) return [format, findings];
  }
  throw new UsageError(EXPECTED);
}
