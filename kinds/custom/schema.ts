import * as z from "zod";
import { calendarSettings } from "../../core/calendar-schema";
import { documentKey, documentSettings } from "../../core/document-settings";
import { parseDuration } from "../../core/duration";
import { duration, hooks, policyOverride, restart, secretName, settings } from "../../core/schema-parts";
import { fieldName, variableName } from "../issuer/schema";

const isUnique = (names: readonly string[]) => new Set(names).size === names.length;

/** A command of the user's, run by `sh -c`. It must not hold a secret. */
const command = z.string().min(1);

/** The commands that issue, verify and revoke a credential (docs/custom.md), and what they need. */
export const commandSettings = {
  /** The names of the values that make up one credential, such as `[keyId, secretKey]`. A change needs a rotation. */
  fields: z.array(fieldName).min(1, "expected at least one name").max(10).refine(isUnique, "expected each name once"),
  /** What makes, proves and ends a credential. Each gets a request on stdin and prints one JSON object. */
  commands: settings({
    /** Makes a credential. The same id again returns the same one, or leaves only the newer one. */
    issue: command,
    /** Asks the issuer whether a credential works. */
    verify: command,
    /** Ends one credential. One that has ended already is no error. */
    revoke: command,
  }),
  /**
   * Variables of the run's environment that the commands need and that hold a credential, such as `ISSUER_TOKEN`. Default:
   * none. Without this the commands get only variables that hold none.
   */
  variables: z.array(variableName).default([]),
  /** How long one command may take; then it is ended and counts as failed. Default 30s. */
  timeout: duration.default(parseDuration("30s")),
  /** How long the issuer may take until a new credential works, or a revoked one is refused. Default 30s. */
  wait: duration.default(parseDuration("30s")),
};

export type CommandSettings = z.output<z.ZodObject<typeof commandSettings>>;

/** The version of the protocol between this program and the commands. */
export const PROTOCOL = 1;

/** `kind.json`: what `rotation kinds test` reads. */
export const kindDeclaration = settings({
  /** The version of the protocol: 1. */
  protocol: z.literal(PROTOCOL, `expected ${PROTOCOL}, the version of the protocol`),
  ...commandSettings,
  /**
   * Variables with which the commands cannot reach the issuer, such as `{ "ISSUER_URL": "http://127.0.0.1:9" }` or, for
   * curl, `{ "HTTPS_PROXY": "http://127.0.0.1:9" }`. The test needs them to see what a network failure looks like.
   */
  unreachable: z
    .record(variableName, z.string())
    .refine((variables) => Object.keys(variables).length > 0, "expected at least one variable"),
});

export type KindDeclaration = z.output<typeof kindDeclaration>;

/** A credential that commands of the user's own make, prove and end at an issuer (docs/custom.md). */
export const customSchema = settings({
  /** What kind of credential it is. */
  kind: z.literal("custom"),
  /** Its name in the audit log, in `adopted` and in requests. */
  name: secretName,
  /** The folder in which the commands run, from the project's folder. Default: the project's folder. */
  directory: z.string().min(1).optional(),
  ...commandSettings,
  /**
   * The path of each field in the store. Default: the secret's name if it has one field, else the name with `_` and the field.
   * A change writes the credential to the new path.
   */
  storePaths: z.record(fieldName, secretName).optional(),
  /** What `identity` must be for every credential. Default: what the one in use has. */
  account: z.string().min(1).optional(),
  /** The services that read it, restarted in this order. */
  restart,
  ...hooks,
  policy: policyOverride,
  ...calendarSettings,
  ...documentSettings,
  /** For json and both: the names of the document's keys, by the fields. Default: each field's own name. */
  keys: z.record(fieldName, documentKey).optional(),
});

export type CustomConfig = z.output<typeof customSchema>;
