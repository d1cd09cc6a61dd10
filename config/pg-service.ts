import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../core/errors";
import { type PgService, pgService } from "../core/pg-service";
import { oneOf, type Problem } from "../core/problem";
import { homeOf } from "./home";

type Env = Readonly<Record<string, string | undefined>>;
type Settings = Readonly<Record<string, unknown>>;

/** The keys of a service that a database has too. */
const KEYS: Readonly<Record<string, string>> = {
  host: "host",
  port: "port",
  dbname: "name",
  user: "admin",
  sslmode: "sslmode",
  sslrootcert: "sslrootcert",
  sslcert: "sslcert",
  sslkey: "sslkey",
};

/** Keys without an effect on which server is reached, and how it is checked. */
const WITHOUT_EFFECT = [
  ...["application_name", "fallback_application_name", "connect_timeout", "client_encoding", "tcp_user_timeout"],
  ...["keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "sslcompression"],
];

const PASSWORDS = ["password", "passfile"];

/**
 * Databases with the values of their service (`pg_service.conf`): what the config says itself takes precedence, and the
 * service over the environment, as for libpq.
 */
export class PgServices {
  private readonly found: Problem[] = [];

  constructor(private readonly env: Env) {}

  /** What is wrong with the services that were read. */
  readonly problems = (): readonly Problem[] => this.found;

  /** The settings with every database of a service filled in. */
  filled(settings: Settings): Settings {
    const { secrets, audit } = settings;
    return {
      ...settings,
      ...(audit === undefined ? {} : { audit: this.database(audit, ["audit"]) }),
      ...(Array.isArray(secrets) ? { secrets: secrets.map((secret, index) => this.secret(secret, index)) } : {}),
    };
  }

  private secret(secret: unknown, index: number): unknown {
    if (!isObject(secret) || secret.database === undefined) return secret;
    return { ...secret, database: this.database(secret.database, ["secrets", index, "database"]) };
  }

  private database(database: unknown, path: readonly PropertyKey[]): unknown {
    if (!isObject(database)) return database;
    const { PGSERVICE } = this.env;
    const { service = PGSERVICE || undefined } = database;
    if (typeof service !== "string") return database;
    try {
      if (PGSERVICE && PGSERVICE !== service)
        throw new Error(`expected the service of PGSERVICE too (${PGSERVICE}), found ${service}: unset one of them`);
      return { ...valuesOf(this.read(service), service), ...database, service };
    } catch (error) {
      this.found.push({ path: [...path, "service"], message: messageOf(error) });
      // The message about the service is enough.
      return { host: service, name: service, ...database };
    }
  }

  private read(service: string): PgService {
    const files = this.files();
    for (const file of files) {
      const found = pgService(this.text(file), service);
      if (found !== undefined) return found;
    }
    const looked = files.length === 0 ? "no pg_service.conf" : `none of that name in ${files.join(" and ")}`;
    throw new Error(`expected a service of pg_service.conf, found ${looked} for ${service}`);
  }

  private text(file: string): string {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw new Error(`expected a file that can be read, found ${file}: ${messageOf(error)}`);
    }
  }

  /** The user's file, then the machine's; one that PGSERVICEFILE names must exist. */
  private files(): string[] {
    const { PGSERVICEFILE, PGSYSCONFDIR } = this.env;
    const home = homeOf(this.env);
    const inHome = home === undefined ? [] : [join(home, ".pg_service.conf")].filter(existsSync);
    const own = PGSERVICEFILE ? [PGSERVICEFILE] : inHome;
    const machine = PGSYSCONFDIR ? [PGSYSCONFDIR] : ["/etc/postgresql-common", "/etc/sysconfig/pgsql"];
    return [...own, ...machine.map((folder) => join(folder, "pg_service.conf")).filter(existsSync)];
  }
}

function valuesOf(found: PgService, service: string): Settings {
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(found)) {
    if (PASSWORDS.includes(key))
      throw new Error(
        `expected no ${key} in the service ${service}: put the password into PGPASSFILE, ~/.pgpass or PGPASSWORD, which the ` +
          "plugin reads too",
      );
    const own = KEYS[key];
    if (own === undefined && !WITHOUT_EFFECT.includes(key))
      throw new Error(
        `expected ${oneOf(Object.keys(KEYS))} in the service ${service}, found ${key}, which a rotation cannot follow`,
      );
    if (own === "host" && value.includes(","))
      throw new Error(`expected one host in the service ${service}, found a list`);
    if (own !== undefined) values[own] = own === "port" && /^\d+$/.test(value) ? Number(value) : value;
  }
  return values;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
