import { existsSync } from "node:fs";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onFreePort } from "../../../dev/lab/ports";
import { serverAccount } from "../../../dev/lab/postgres-binaries";
import { startProcess } from "../../../dev/lab/processes";

const BINARY = "/usr/sbin/haproxy";
const PSQL = "/usr/bin/psql";

/** Why no HAProxy can be had; undefined if one can. */
export const withoutHaproxy = (): string | undefined =>
  [BINARY, PSQL].every(existsSync) ? undefined : "apt-get install haproxy postgresql-client";

/** What {@link startHaproxy} takes. */
export interface HaproxyOptions {
  /** A folder for its files. */
  readonly dir: string;
  /** The ports of the servers on loopback, of which one at a time is the primary. */
  readonly ports: readonly number[];
  /** The login of the health check, as libpq takes it. */
  readonly login: { readonly user: string; readonly password: string; readonly database: string; readonly ca: string };
}

/**
 * An HAProxy on loopback whose one port leads to the server that is no standby. It asks each of them every second, and ends
 * the sessions of one that is no primary any more.
 */
export async function startHaproxy({ dir, ports, login }: HaproxyOptions) {
  const account = await serverAccount();
  await mkdir(dir, { recursive: true, mode: 0o711 });
  const [check, file, pgpass, logFile] = ["is-primary.sh", "haproxy.cfg", "check.pgpass", "haproxy.log"].map((name) =>
    join(dir, name),
  ) as [string, string, string, string];
  await writeFile(pgpass, `*:*:*:${login.user}:${login.password}\n`, { mode: 0o600 });
  if (account.uid !== undefined) await chown(pgpass, account.uid, account.gid ?? account.uid);
  const place = `host=$3 port=$4 dbname=${login.database} user=${login.user} passfile=${pgpass} connect_timeout=2`;
  const trust = `sslmode=verify-full sslrootcert=${login.ca}`;
  const script = `#!/bin/sh\nexport HOME=${dir}\n[ "$(${PSQL} -XAtq "${place} ${trust}" -c 'select pg_is_in_recovery()')" = f ]\n`;
  await writeFile(check, script, { mode: 0o755 });
  const servers = ports.map((port, index) => `  server node-${index + 1} 127.0.0.1:${port} check\n`).join("");
  let port = 0;
  const server = await onFreePort(async (free) => {
    port = free;
    await writeFile(
      file,
      `global
  external-check
  insecure-fork-wanted
defaults
  mode tcp
  timeout connect 2s
  timeout check 3s
  timeout client 1h
  timeout server 1h
listen primary
  bind 127.0.0.1:${port}
  option external-check
  external-check path /usr/bin:/bin
  external-check command ${check}
  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
${servers}`,
    );
    return startProcess({ command: BINARY, args: ["-db", "-f", file], cwd: "/", logFile, ...account });
  });
  return { host: "127.0.0.1", port, stop: () => server.stop() };
}
