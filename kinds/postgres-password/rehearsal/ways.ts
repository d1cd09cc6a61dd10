import { type ConnectionConfig, clientConfig } from "../../../clients/postgres";
import { ForwardError } from "../../../clients/ssh-connect";
import { codeOf, messageOf } from "../../../core/errors";
import { type SslMode, sslmode } from "../../../core/schema-parts";
import type { Reader } from "../../own-password/place";
import { PRIMARY, pathName } from "../paths/schema";
import type { Rehearsal } from "./input";

/** How one reader gets to the database. */
export interface Way {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly pooler: boolean;
  /** Milliseconds that a new login may take until it works there. */
  readonly limit: number;
  /** Whether the config says how the reader gets there. */
  readonly named: boolean;
  /** Ways of one key see the same: one comparison is enough. */
  readonly key: string;
  config(login: { readonly username: string; readonly password: string }): ConnectionConfig;
}

/** The ways of a reader: the paths that it names, else all. @param trust authorities that it has where it runs */
export function waysOf(
  { database, paths }: Pick<Rehearsal, "database" | "paths">,
  { paths: named, sslmode: mode, sslrootcert, relay, parameters }: Reader,
  trust: string | undefined,
): Way[] {
  const all = [
    { ...database, name: PRIMARY, pooler: false, limit: 0 },
    ...paths.map((path) => ({ ...path, name: pathName(path) })),
  ];
  const isNamed = [named, mode, sslrootcert, relay, parameters].some((part) => part !== undefined);
  const used = named === undefined ? all : all.filter(({ name }) => named.includes(name));
  return used.map(({ name, pooler, limit, ...reference }) => {
    const sslmodeHere: SslMode = sslmode.optional().parse(mode) ?? reference.sslmode;
    return {
      ...{ name, pooler, limit, host: reference.host, port: reference.port, named: isNamed },
      key: JSON.stringify([name, parameters]),
      config: ({ username, password }) => {
        const config = clientConfig({ ...reference, sslmode: sslmodeHere, user: username });
        return {
          ...withTrust(config, sslmodeHere, trust),
          ...{ password, parameters, query_timeout: 30_000 },
        };
      },
    };
  });
}

/** libpq checks the certificate too if it has authorities, but for `allow` and `prefer`. */
function withTrust(config: ConnectionConfig, mode: SslMode, trust: string | undefined): ConnectionConfig {
  if (trust === undefined || !["require", "verify-ca", "verify-full"].includes(mode)) return config;
  const anyName = mode === "verify-full" ? {} : { checkServerIdentity: () => undefined };
  return {
    ...config,
    ssl: { ...(typeof config.ssl === "object" ? config.ssl : {}), rejectUnauthorized: true, ca: [trust], ...anyName },
  };
}

/** Why a login fails. */
export interface Failure {
  readonly why: "unseen" | "unreached" | "shut" | "refused";
  readonly words: string;
  /** Whether the server only had no connection left. */
  readonly isBusy: boolean;
}

/** The server could not be reached; it lets nobody in from this address by this name; or it refuses this login. */
export function failureOf(error: unknown): Failure {
  return { ...whyOf(error), isBusy: codeOf(error) === "53300" };
}

function whyOf(error: unknown): Omit<Failure, "isBusy"> {
  const words = messageOf(error);
  if (error instanceof ForwardError) {
    return error.isForbidden
      ? {
          why: "unseen",
          words: `the host's SSH server forwards no connection (AllowTcpForwarding, PermitOpen): ${words}`,
        }
      : { why: "unreached", words: `the host does not reach it: ${words}` };
  }
  const code = codeOf(error);
  if (code === "28000" && /pg_hba\.conf/.test(words)) return { why: "shut", words };
  if (/^(ECONN|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/.test(code ?? "") || /^timeout expired$/.test(words))
    return { why: "unreached", words: `it is not reached: ${words}` };
  return { why: "refused", words };
}
