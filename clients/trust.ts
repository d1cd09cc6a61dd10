import { createPrivateKey } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Agent, type AgentOptions } from "node:https";
import { join } from "node:path";
import { type ConnectionOptions, rootCertificates } from "node:tls";
import { homeOf } from "../config/home";
import type { SslMode } from "../core/schema-parts";

/** How a client checks its server. Undefined: as Node.js does by default. */
export type Trust = Pick<AgentOptions, "ca" | "cert" | "key" | "rejectUnauthorized" | "servername">;

type Env = Readonly<Record<string, string | undefined>>;

/** A file or folder of certificates that the environment names cannot be read. */
export class TrustError extends Error {
  override readonly name = "TrustError";
}

/**
 * For every server but Vault: the public authorities, and those of SSL_CERT_FILE and SSL_CERT_DIR, as OpenSSL, Go and
 * curl take them. Undefined if neither is set.
 */
export function publicTrust(env: Env = process.env): Trust | undefined {
  return withPublic([...file(env, "SSL_CERT_FILE"), ...folders(env, "SSL_CERT_DIR")], env);
}

/** For AWS: AWS_CA_BUNDLE, as the `aws` command takes it, else as for every other server. */
export function awsTrust(env: Env = process.env): Trust | undefined {
  return env.AWS_CA_BUNDLE ? withPublic(file(env, "AWS_CA_BUNDLE"), env) : publicTrust(env);
}

/**
 * For Vault, as the `vault` command takes it: VAULT_CACERT_BYTES, VAULT_CACERT or VAULT_CAPATH instead of all other
 * authorities, VAULT_CLIENT_CERT and VAULT_CLIENT_KEY, VAULT_TLS_SERVER_NAME, VAULT_SKIP_VERIFY.
 */
export function vaultTrust(env: Env = process.env): Trust | undefined {
  const own = env.VAULT_CACERT_BYTES
    ? [env.VAULT_CACERT_BYTES]
    : env.VAULT_CACERT
      ? file(env, "VAULT_CACERT")
      : folders(env, "VAULT_CAPATH");
  const [cert, key] = [file(env, "VAULT_CLIENT_CERT")[0], file(env, "VAULT_CLIENT_KEY")[0]];
  const trust: Trust = {
    ...(own.length > 0 ? { ca: own } : publicTrust(env)),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(env.VAULT_TLS_SERVER_NAME ? { servername: env.VAULT_TLS_SERVER_NAME } : {}),
    ...(isTrue(env.VAULT_SKIP_VERIFY) ? { rejectUnauthorized: false } : {}),
  };
  return Object.keys(trust).length === 0 ? undefined : trust;
}

/**
 * For PostgreSQL, as libpq takes it: PGSSLROOTCERT (a file, or `system` for the public authorities), else
 * `~/.postgresql/root.crt` if it exists; PGSSLCERT and PGSSLKEY, else `postgresql.crt` and `postgresql.key` there. With an
 * authority, `require` verifies as `verify-ca` does; `allow` and `prefer` verify nothing.
 *
 * @param mode the config's; like a connection parameter it takes precedence over PGSSLMODE.
 * @param passphrase of the client's key
 */
export function databaseTrust(mode: SslMode, env: Env = process.env, passphrase?: string): ConnectionOptions | false {
  if (mode === "disable") return false;
  if (env.PGSSLROOTCERT === "system" && mode !== "verify-full")
    throw new TrustError(
      `expected sslmode verify-full with sslrootcert (PGSSLROOTCERT) system, found ${mode}: a public authority signs for every name`,
    );
  const own = env.PGSSLROOTCERT === "system" ? [] : file(env, "PGSSLROOTCERT", "sslrootcert or PGSSLROOTCERT");
  const inHome = (name: string) => {
    const home = homeOf(env);
    const path = join(home ?? "", ".postgresql", name);
    return home !== undefined && existsSync(path) ? file({ [path]: path }, path) : [];
  };
  const ca = own.length > 0 || env.PGSSLROOTCERT ? own : inHome("root.crt");
  const [cert] = env.PGSSLCERT ? file(env, "PGSSLCERT", "sslcert or PGSSLCERT") : inHome("postgresql.crt");
  const [key] = env.PGSSLKEY ? file(env, "PGSSLKEY", "sslkey or PGSSLKEY") : inHome("postgresql.key");
  if (cert !== undefined && key === undefined)
    throw new TrustError("a client certificate has no key: expected sslkey, PGSSLKEY or ~/.postgresql/postgresql.key");
  const client = cert === undefined || key === undefined ? {} : { cert, ...opened(key, passphrase) };
  const authority = ca.length > 0 ? { ca } : publicTrust(env);
  if (mode === "verify-full") return { ...client, ...authority };
  if (mode === "allow" || mode === "prefer" || (mode === "require" && ca.length === 0))
    return { ...client, rejectUnauthorized: false };
  return { ...client, ...authority, checkServerIdentity: () => undefined };
}

/** A client's key, decrypted. */
function opened(key: string, passphrase: string | undefined): Pick<ConnectionOptions, "key"> {
  if (!key.includes("ENCRYPTED")) return { key };
  try {
    const given = passphrase === undefined ? {} : { passphrase };
    return { key: createPrivateKey({ key, ...given }).export({ type: "pkcs8", format: "pem" }) };
  } catch (error) {
    throw new TrustError(
      `the key of the client certificate (sslkey, PGSSLKEY) cannot be read: ${(error as Error).message}; set its ` +
        "passphrase with `pulumi config set --secret sslPassword`",
    );
  }
}

/** An agent of `node:https` for clients that take one; undefined if there is nothing to set. */
export const agentWith = (trust: Trust | undefined): Agent | undefined =>
  trust === undefined ? undefined : new Agent({ ...trust, keepAlive: true });

function withPublic(own: readonly string[], env: Env): Trust | undefined {
  if (own.length === 0) return undefined;
  // What is set here replaces what Node.js reads by itself.
  return { ca: [...rootCertificates, ...file(env, "NODE_EXTRA_CA_CERTS"), ...own] };
}

function file(env: Env, name: string, said = name): string[] {
  const path = env[name];
  if (!path) return [];
  return [read(said, path, () => readFileSync(path, "utf8"))];
}

/** Several folders are separated as in PATH. */
function folders(env: Env, name: string): string[] {
  const found = (env[name] ?? "").split(":").filter((path) => path !== "");
  return found.flatMap((path) =>
    read(name, path, () =>
      readdirSync(path, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => readFileSync(join(path, entry.name), "utf8"))
        .filter((text) => text.includes("-----BEGIN CERTIFICATE-----")),
    ),
  );
}

function read<T>(name: string, path: string, reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    throw new TrustError(`${name} names ${path}, which cannot be read: ${(error as Error).message}`);
  }
}

const isTrue = (text: string | undefined) => ["1", "t", "true"].includes((text ?? "").toLowerCase());
