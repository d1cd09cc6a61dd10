import * as z from "zod";
import { parseDuration } from "../../../core/duration";
import {
  clientTls,
  type DatabaseConfig,
  duration,
  hostInUrl,
  name,
  port,
  roleName,
  type SslMode,
  settings,
  sslmode,
  text,
} from "../../../core/schema-parts";

/** The database's own server in `paths`: its login is always proven. */
export const PRIMARY = "primary";

/** A name, an IPv4 address, or an IPv6 address in brackets; and a port. */
const ADDRESS = /^(\[[\da-fA-F:.]+\]|[^\s:@/[\]]+):(\d{1,5})$/;

const EXPECTED = `expected HOST:PORT, such as pgbouncer:6432, or ${PRIMARY}`;

const address = z
  .string(EXPECTED)
  .refine((value) => value === PRIMARY || port.safeParse(Number(ADDRESS.exec(value)?.[2])).success, EXPECTED);

/** Host and port of an address; undefined for the database's own server. */
function placeOfPath({ address: at }: { readonly address: string }) {
  const [, host = "", number] = ADDRESS.exec(at) ?? [];
  return number === undefined ? undefined : { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(number) };
}

/** PgBouncer's `auth_file`, which this pipeline keeps. */
const userlist = settings({
  /** The path of `auth_file` on those hosts. It exists; lines of other users stay as they are. */
  file: text(/^\/\S+$/, "expected an absolute path, such as /etc/pgbouncer/userlist.txt"),
  /** The hosts that have the file, names of `hosts`. Empty (default): the machine that runs Pulumi. */
  hosts: z.array(name).default([]),
  /** Writes the file with `sudo -n`. Default false: the host's user may write the file and its folder. */
  sudo: z.boolean().default(false),
});

/** PgBouncer. */
const pooler = settings({
  /**
   * The user of PgBouncer's admin console, one of its `admin_users`. Its password comes from PGPASSFILE (the database is
   * `pgbouncer`), else PGPASSWORD. With it the pooler's own connections are told from its clients, and are renewed after the
   * restarts (`RECONNECT`).
   */
  console: roleName.optional(),
  /** Default: none. PgBouncer asks the server (`auth_query`), or it is kept by others. Needs `console`, for `RELOAD`. */
  userlist: userlist.optional(),
}).refine((value) => value.userlist === undefined || value.console !== undefined, {
  path: ["console"],
  error: "expected the user of the admin console, which reloads the user list, found nothing",
});

/** A path to the database besides its own server: a pooler, a proxy, a standby. */
const path = z.preprocess(
  (value) => (typeof value === "string" ? { address: value } : value),
  settings({
    /** `HOST:PORT`, as this machine reaches it. Or `primary`, the database's own server, which is always tried. */
    address,
    /** The database's name there. Default: that of `database`. */
    name: z.string().min(1).optional(),
    /** Default: that of `database`. */
    sslmode: sslmode.optional(),
    /** How long a new login may take until it works there, such as a standby's lag. Default 60s. */
    limit: duration.default(parseDuration("60s")),
    /** `true` or an object if it is PgBouncer. Default: it is something else. */
    pooler: z.preprocess((value) => (value === true ? {} : value), pooler.optional()),
  }),
);

/** The ways in which services reach the database. */
export const paths = z.array(path).optional();

export type PathConfig = z.output<typeof path>;

/** A path to the database besides its own server, as a step reaches it. */
export interface DatabasePath {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly sslmode: SslMode;
  readonly sslrootcert?: string | undefined;
  readonly sslcert?: string | undefined;
  readonly sslkey?: string | undefined;
  readonly sslpassword?: string | undefined;
  /** Milliseconds that a new login may take until it works there. */
  readonly limit: number;
  readonly pooler: boolean;
  /** The user of the pooler's admin console. */
  readonly console?: string | undefined;
}

/** A PgBouncer with its admin console, as a step reaches it. */
export interface PoolerPlace extends Omit<DatabasePath, "limit" | "pooler" | "console"> {
  readonly console: string;
}

/** A user list of PgBouncer that this pipeline keeps, as a step reaches it. `H` is a host. */
export interface KeptList<H = unknown> {
  readonly pooler: PoolerPlace;
  readonly file: string;
  readonly sudo: boolean;
  /** None: the machine that runs the step. */
  readonly hosts: readonly H[];
}

/** The part of a secret's config that says so. */
export interface PathsOfSecret {
  readonly database: DatabaseConfig;
  readonly paths?: readonly PathConfig[] | undefined;
}

/** The paths of a secret besides the database's own server. */
export function databasePathsOf({ database, paths = [] }: PathsOfSecret): DatabasePath[] {
  return paths.flatMap((path) => {
    const place = placeOfPath(path);
    if (place === undefined) return [];
    const { name = database.name, sslmode = database.sslmode, limit, pooler } = path;
    const admin = pooler?.console === undefined ? {} : { console: pooler.console };
    return [
      {
        ...{ ...place, database: name, sslmode, limit, pooler: pooler !== undefined, ...admin },
        ...clientTls(database),
      },
    ];
  });
}

/** The poolers whose admin console this pipeline may use. */
export const poolersOf = (secret: PathsOfSecret): PoolerPlace[] =>
  databasePathsOf(secret).flatMap(({ limit: _, pooler: __, console, ...path }) =>
    console === undefined ? [] : [{ ...path, console }],
  );

/** The user lists that a secret's logins are kept in. */
export function keptLists<H extends object>(
  secret: PathsOfSecret,
  hosts: Readonly<Record<string, H>>,
): KeptList<H & { readonly name: string }>[] {
  return (secret.paths ?? []).flatMap((path) => {
    const [pooler] = poolersOf({ ...secret, paths: [path] });
    const userlist = path.pooler?.userlist;
    if (pooler === undefined || userlist === undefined) return [];
    const places = userlist.hosts.flatMap((name) => {
      const host = hosts[name];
      return host === undefined ? [] : [{ name, ...host }];
    });
    return [{ pooler, file: userlist.file, sudo: userlist.sudo, hosts: places }];
  });
}

/** `pgbouncer:6432`, as the config names it. */
export const pathName = ({ host, port }: Pick<DatabasePath, "host" | "port">): string => `${hostInUrl(host)}:${port}`;
