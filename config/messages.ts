import * as z from "zod";
import { formatDuration } from "../core/duration";
import type { Policy } from "../core/policy";
import { oneOf } from "../core/problem";
import { holdsSecrets, partsOf } from "../core/secret-fields";
import { defaultNameOf } from "../kinds/schemas";

/** Longer texts are cut, so that a message stays readable. */
const LONGEST = 60;

/** Every key of the project's namespace, as it was found. */
type Settings = Readonly<Record<string, unknown>>;

/** What a message is about: the settings as they were found, and the schema that they do not follow. */
interface Subject {
  readonly settings: Settings;
  readonly schema: z.core.$ZodType;
}

/** What was expected, in words for authors of YAML; undefined if the schema's own message says it. */
export function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `expected ${oneOf(issue.values.map(String))}`;
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? `expected ${oneOf(issue.options.filter((option) => option !== undefined))}`
        : undefined;
    case "invalid_key":
      return `its name is wrong: ${issue.issues[0]?.message ?? "expected another"}`;
    case "too_small":
      if (issue.origin === "string") return "expected some text";
      return issue.origin === "array" ? "expected at least one entry" : `expected at least ${issue.minimum}`;
    case "too_big":
      return `expected at most ${issue.maximum}${issue.origin === "string" ? " characters" : ""}`;
    default:
      return undefined;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** The message for a `lead` that leaves no time between two rotations. */
export const tooLong = (lead: number, maxAge: number) =>
  `expected less than maxAge (${formatDuration(maxAge)}), found ${formatDuration(lead)}`;

/** The message for a `quietPeriod` that no login can reach. */
export const neverQuiet = ({ quietPeriod, gracePeriod, gracePeriodMax }: Pick<Policy, (typeof QUIET)[number]>) =>
  `expected less than ${gracePeriodMax < gracePeriod ? "gracePeriod" : "gracePeriodMax"} (${formatDuration(Math.max(gracePeriod, gracePeriodMax))}), at which the login ends in any case, found ${formatDuration(quietPeriod ?? 0)}`;

const QUIET = ["quietPeriod", "gracePeriod", "gracePeriodMax"] as const;

/** The lines of a message, one for each wrong key: its path, what was expected, what was found. */
export function linesOf(issues: readonly z.core.$ZodIssue[], subject: Subject): string[] {
  const lines = new Map<string, string>();
  for (const issue of issues) {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
    const paths = unknown.length > 0 ? unknown.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of paths) {
      const where = whereOf(path, subject);
      // A later one is about the same wrong value, or is hidden behind the same secret key.
      if (!lines.has(where)) lines.set(where, `${where}: ${issue.message}${foundOf(issue, path, subject)}`);
    }
  }
  return [...lines.values()];
}

/** The value that was found; nothing if it is a secret, or if the message already contains it. */
function foundOf({ code }: z.core.$ZodIssue, path: readonly PropertyKey[], { settings, schema }: Subject): string {
  if (code === "custom" || code === "unrecognized_keys" || code === "invalid_key") return "";
  const value = path.reduce<unknown>(below, settings);
  if (value === undefined) return ", found nothing";
  if (isHidden(path, schema)) return "";
  if (typeof value === "object") return value === null ? ", found null" : `, found ${shapeOf(value)}`;
  const text = JSON.stringify(value);
  return `, found ${text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text}`;
}

const shapeOf = (value: object) =>
  Array.isArray(value) ? (value.length === 0 ? "an empty list" : "a list") : "an object";

function below(at: unknown, key: PropertyKey): unknown {
  if (typeof at === "object" && at !== null && Object.hasOwn(at, key)) return (at as Record<PropertyKey, unknown>)[key];
  // A single value where a list is expected too, and a text that stands for an object.
  return typeof at === "string" || (key === 0 && !Array.isArray(at)) ? at : undefined;
}

/** Whether a path begins with a key that holds secrets: nothing below is shown, since a secret may be in the wrong place. */
const isHidden = ([first]: readonly PropertyKey[], schema: z.core.$ZodType) =>
  first !== undefined && inside([schema], first).some((part) => holdsSecrets(part));

/** A path as `pulumi config set --path` takes it; below a key that holds secrets only as far as its names are known. */
function whereOf(path: readonly PropertyKey[], { settings, schema }: Subject): string {
  if (!isHidden(path, schema)) return textOf(path);
  let here: readonly z.core.$ZodType[] = [schema];
  for (const [index, part] of path.entries()) {
    const entry =
      typeof part === "number" || here.flatMap(withSame).some((one) => Object.hasOwn(partsOf(one).keys, part));
    // If name and value are swapped, the value is where a name is expected; what has one of the kinds is no value.
    const kind = below(path.slice(0, index + 1).reduce<unknown>(below, settings), "kind");
    const known =
      kind !== undefined && inside(inside(here, part), "kind").some((one) => z.safeParse(one, kind).success);
    if (!entry && !known && !isNameOfSecret(part, settings)) return `${textOf(path.slice(0, index))} (an entry)`;
    here = inside(here, part);
  }
  return textOf(path);
}

/** The schemas of the value at a key. */
const inside = (schemas: readonly z.core.$ZodType[], key: PropertyKey): z.core.$ZodType[] =>
  schemas.flatMap(withSame).flatMap((schema) => {
    const { keys, entry } = partsOf(schema);
    const known = Object.hasOwn(keys, key) ? keys[String(key)] : undefined;
    return [known, entry].filter((part) => part !== undefined);
  });

/** A schema with all that it wraps or chooses from. */
const withSame = (schema: z.core.$ZodType): z.core.$ZodType[] => [schema, ...partsOf(schema).same.flatMap(withSame)];

const textOf = (path: readonly PropertyKey[]) =>
  path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      const name = String(part);
      if (!/^[\w-]+$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join("");

function isNameOfSecret(key: PropertyKey, { secrets }: Settings): boolean {
  const nameOf = (secret: unknown) => below(secret, "name") ?? defaultNameOf(below(secret, "kind"));
  return Array.isArray(secrets) && secrets.some((secret) => nameOf(secret) === key);
}
