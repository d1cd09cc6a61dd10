import * as z from "zod";
import { parseDuration } from "../../core/duration";
import { labelDate } from "../../core/key-label";
import { duration, name, settings, text } from "../../core/schema-parts";
import { secret } from "../../core/secret-fields";

const LABEL = "expected a text with a date at its end, such as paper-trading-2026-11-23";

/** What the issuer's own pages call a key, with the day on which it was made at its end. */
export const keyLabel = z
  .string(LABEL)
  .max(100)
  .refine((label) => labelDate(label) !== undefined, LABEL);

/** The name of a field of a key. */
export const fieldName = text(
  /^[a-z][A-Za-z0-9]{0,39}$/,
  "expected letters and digits with a lower-case letter first, such as key or secretKey",
);

/** The name of a variable of the run's environment. */
export const variableName = text(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable");

/** A value of a key. */
export const keyValue = secret(
  text(/^[\x21-\x7e]{6,}$/, "expected at least 6 characters of ASCII and no space, as HTTP headers take them"),
);

/** One key as its issuer shows it once. */
export const suppliedKey = settings({
  /** As on the issuer's pages, with the day it was made at its end: `market-data-2026-11-23`. Never used twice. */
  label: keyLabel,
  /** The key's values, by the `fields` of the secret. */
  values: z.record(fieldName, keyValue),
});

/** A key with exactly these fields. */
export const suppliedKeyOf = (fields: readonly string[]) =>
  settings({
    label: keyLabel,
    values: settings(Object.fromEntries(fields.map((field) => [field, keyValue]))),
  }) as z.ZodType<z.output<typeof suppliedKey>>;

/** The keys of one secret. */
export const suppliedKeys = settings({
  /** The newest key. A new label is what rotates. */
  current: suppliedKey,
  /** The previous key, through its grace period: what a rollback returns to. */
  previous: suppliedKey.optional(),
}).superRefine(({ current, previous }, context) => {
  if (previous === undefined) return;
  const same = (message: string) => context.addIssue({ code: "custom", path: ["previous"], message });
  if (previous.label === current.label) same("expected another label than that of current, found the same");
  else if (Object.keys(current.values).every((field) => previous.values[field] === current.values[field]))
    same("expected another key than current, found the same under another label");
});

/** A run of the user's own program with the new key, after the restarts. */
export const dryRun = settings({
  /** Such as `python -m apps.orchestrator.main --dry-run`. */
  command: z.string().min(1),
  /** The service on whose first host it runs. */
  service: name,
  /** Default 60s. */
  timeout: duration.default(parseDuration("60s")),
});
