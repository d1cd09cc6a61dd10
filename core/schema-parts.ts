import * as z from "zod";
import { parseDuration } from "./duration";
import { oneOf } from "./problem";

/** An object that names its keys if one of them is wrong, and its mandatory ones if it is no object. */
export const settings = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: ({ code }) => {
      if (code === "unrecognized_keys") return `unknown key; expected ${oneOf(Object.keys(shape))}`;
      return code === "invalid_type" ? `expected an object with ${mandatory(shape)}` : undefined;
    },
  });

function mandatory(shape: z.core.$ZodLooseShape): string {
  const keys = Object.keys(shape);
  const needed = keys.filter((key) => shape[key] instanceof z.ZodType && !shape[key].safeParse(undefined).success);
  return needed.length === 0 ? oneOf(keys) : needed.join(", ");
}

/** Another message for a value of the wrong type. */
export const type = (expected: string) => ({
  error: ({ code }: z.core.$ZodRawIssue) => (code === "invalid_type" ? expected : undefined),
});

/** For objects distinguished by `kind`. */
export const byKind = type("expected an object with kind");

/** Text of a given form, with one message for text of another form and for what is no text. */
export const text = (form: RegExp, expected: string) => z.string(expected).regex(form, expected);

/** A duration with its unit: `90d`, `24h`, `30m`, `45s`. */
export const duration = z.string("expected a duration such as 90d, 24h, 30m or 45s").transform((value, context) => {
  try {
    return parseDuration(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

/** Letters, digits, `-` and `_`: safe in a path, a shell word and a systemd unit. */
export const name = text(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, "expected letters, digits, - or _");

export const secretName = text(
  /^[a-z0-9_-]+(\/[a-z0-9_-]+)+$/,
  "expected lower-case words joined by /, such as database/password",
);

/** Whether it can be a secret's name. */
export const isSecretName = (value: unknown) => secretName.safeParse(value).success;

/** In characters, so that `_a` or `_b` fits PostgreSQL's 63. */
export const LONGEST_ROLE = 61;

export const roleName = z.string().min(1).max(LONGEST_ROLE, `expected at most ${LONGEST_ROLE} characters`);

export const port = z.number().int().min(1).max(65_535);

export const httpUrl = z.url({ protocol: /^https?$/, error: "expected an http:// or https:// address" });

/** How a PostgreSQL client checks the server, as in libpq. */
export const sslmode = z.enum(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]);

export type SslMode = z.output<typeof sslmode>;

/** A name or an address; an IPv6 address as it is. */
export const hostAddress = z
  .string()
  .min(1)
  .regex(/^[^[\]\s,]+$/, "expected one name or address, an IPv6 address without brackets");

/** A host as a URL has it: an IPv6 address in brackets. */
export const hostInUrl = (host: string): string => (/^[\da-f.:]*:[\da-f.:]*$/i.test(host) ? `[${host}]` : host);

const absoluteFile = text(/^\/./, "expected an absolute path");

/** How to reach one PostgreSQL database. Passwords come from PGPASSWORD or PGPASSFILE. */
export const database = settings({
  /**
   * A service of `pg_service.conf` (PGSERVICEFILE, `~/.pg_service.conf`, PGSYSCONFDIR) with what is not said here: `host`, `port`,
   * `dbname`, `user` and TLS. Default: PGSERVICE.
   */
  service: text(/^[^\]\s]+$/, "expected the name of a service in pg_service.conf").optional(),
  /** Name or address of the server, or the folder of its Unix socket. May come from `service`. */
  host: hostAddress,
  /** Default 5432. */
  port: port.default(5432),
  /** The database's name on that server. May come from `service`. */
  name: z.string().min(1),
  /** Role with CREATEROLE and ADMIN on the managed role. Default: the environment's PGUSER, else `postgres`. */
  admin: roleName.optional(),
  /** As in libpq. Default `require`. */
  sslmode: sslmode.default("require"),
  /** A file with the authorities that sign the server's certificate, or `system`. Default: PGSSLROOTCERT, else libpq's own. */
  sslrootcert: text(/^(system|\/.+)$/, "expected an absolute path, or system").optional(),
  /** The client certificate's file, with `sslkey`. Default: PGSSLCERT, else libpq's own (`~/.postgresql/postgresql.crt`). */
  sslcert: absoluteFile.optional(),
  /** The client certificate's key; its passphrase is the secret config key `sslPassword`. Default: PGSSLKEY, else libpq's own. */
  sslkey: absoluteFile.optional(),
})
  .refine(({ sslcert, sslkey }) => (sslcert === undefined) === (sslkey === undefined), {
    path: ["sslkey"],
    error: "expected sslcert and sslkey together, found one of them",
  })
  .refine(({ sslrootcert, sslmode }) => sslrootcert !== "system" || sslmode === "verify-full", {
    path: ["sslmode"],
    error: "expected verify-full with sslrootcert: system: a public authority signs for every name",
  });

export interface DatabaseConfig extends z.output<typeof database> {
  /** The passphrase of `sslkey`: the config's `sslPassword`. */
  readonly sslpassword?: string | undefined;
}

/** The files of TLS that a config names, for each path to a database. */
export const clientTls = ({
  sslrootcert,
  sslcert,
  sslkey,
  sslpassword,
}: Pick<DatabaseConfig, "sslrootcert" | "sslcert" | "sslkey" | "sslpassword">) => ({
  ...(sslrootcert === undefined ? {} : { sslrootcert }),
  ...(sslcert === undefined ? {} : { sslcert }),
  ...(sslkey === undefined ? {} : { sslkey }),
  ...(sslpassword === undefined ? {} : { sslpassword }),
});

/** The services that read a secret. */
export const restart = z.array(name).min(1, "expected at least one service that reads the secret");

/** A command of the user's around a rotation. It must not need a secret of this pipeline, and print none. */
const hook = settings({
  /**
   * Run by `sh -c`; exit 0 is fine. In its environment: ROTATION_SECRET and ROTATION_GENERATION, and none of the run's
   * credentials.
   */
  command: z.string().min(1),
  /** Where it runs, a name of `hosts`. Default: the machine that runs Pulumi. */
  host: name.optional(),
  /** Default 60s. */
  timeout: duration.default(parseDuration("60s")),
});

/** Run once for each rotation and rollback; a change of them runs nothing. */
export const hooks = {
  /** Run once after the preflight, before anything is changed. If it fails, nothing is. */
  before: hook.optional(),
  /** Run once after the services use the new credential, before the audit row. If it fails, the next run repeats it alone. */
  after: hook.optional(),
};

/** Overrides of the stack's policy for one secret. */
export const policyOverride = settings({
  maxAge: duration,
  lead: duration,
  gracePeriod: duration,
  gracePeriodMax: duration,
  quietPeriod: duration,
  retryAfter: duration,
  jitter: duration,
})
  .partial()
  .optional();
