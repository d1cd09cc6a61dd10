import * as z from "zod";
import { parseDuration } from "../../core/duration";
import { duration, settings, text } from "../../core/schema-parts";

const fieldName = text(/^[A-Za-z][A-Za-z0-9_]*$/, "expected a letter, then letters, digits or _");

const variableName = text(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable");

const isUnique = (names: readonly string[]) => new Set(names).size === names.length;

/** A command of the user's, run by `sh -c`. It must not hold a secret. */
const command = z.string().min(1);

/** The commands that issue, verify and revoke a credential (docs/custom.md), and what they need. */
export const commandSettings = {
  /** The names of the values that make up one credential, such as `[keyId, secretKey]`. A change needs a rotation. */
  fields: z.array(fieldName).min(1, "expected at least one name").refine(isUnique, "expected each name once"),
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
