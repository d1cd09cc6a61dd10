import { createPrivateKey } from "node:crypto";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DatabaseReference, tryLogin, withDatabase } from "../../../clients/postgres";
import type { DatabasePasswordConfig } from "../../../config";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { serverAccount } from "../../../dev/lab/postgres-binaries";
import { tryLeaked } from "../../../kinds/postgres-password/see-login";
import { advised } from "../../advice/table";

describe("a login that is tried", () => {
  let dir: string;
  let server: Postgres;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "login-"));
    server = await startPostgres({ dir });
    await server.query("CREATE ROLE trader LOGIN PASSWORD 'of-the-test' CONNECTION LIMIT 1");
    await server.query("CREATE ROLE former NOLOGIN PASSWORD 'of-the-test'");
  });

  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const reference = (port = server.port) =>
    ({ host: server.host, port, database: "trader", sslmode: "disable", user: "postgres" }) as const;

  it("works", async () => {
    expect(await tryLogin(reference(), { username: "trader", password: "of-the-test" })).toEqual({
      outcome: "works",
      evidence: "trader logs in",
    });
  });

  it.each([
    ["another password", "trader", "another", /password authentication failed/],
    ["a role that may not log in", "former", "of-the-test", /is not permitted to log in/],
  ])("is refused: %s", async (_, username, password, evidence) => {
    const answer = await tryLogin(reference(), { username, password });
    expect(answer).toEqual({ outcome: "refused", evidence: expect.stringMatching(evidence) });
    expect(answer.evidence).toMatch(new RegExp(`^${username} cannot log in to trader on 127\\.0\\.0\\.1:\\d+: `));
  });

  it("is unknown if no server answers, or none has room", async () => {
    const login = { username: "trader", password: "of-the-test" };
    const unreachable = await tryLogin(reference(1), login);
    expect(unreachable).toEqual({ outcome: "unknown", evidence: expect.stringContaining("ECONNREFUSED") });
    const full = await server.session(() => tryLogin(reference(), login), { user: "trader", password: "of-the-test" });
    expect(full).toEqual({ outcome: "unknown", evidence: expect.stringContaining("too many connections") });
  });
});

describe("sslmode, as libpq has it", () => {
  const certificates = join(import.meta.dirname, "..", "..", "tls");
  const CA = join(certificates, "ca.pem");
  const [CERT, KEY] = [join(certificates, "server.pem"), join(certificates, "server.key")];
  const [CLIENT, CLIENT_KEY] = [join(certificates, "client.pem"), join(certificates, "client.key")];
  const HBA =
    "local all all scram-sha-256\nhost all shut_out 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n";
  let dirs: string[];
  let withTls: Postgres;
  let without: Postgres;
  /** The folder of the socket. */
  let socket: string;

  beforeAll(async () => {
    dirs = await Promise.all(["tls-", "plain-"].map((name) => mkdtemp(join(tmpdir(), name))));
    const [dir = "", plain = ""] = dirs;
    await chmod(dir, 0o711);
    const { uid, gid } = await serverAccount();
    const settings: Record<string, string> = { ssl: "on" };
    for (const [setting, file] of [
      ["ssl_cert_file", CERT],
      ["ssl_key_file", KEY],
      ["ssl_ca_file", CLIENT],
      ["hba_file", HBA],
    ] as const) {
      const copy = join(dir, setting);
      if (file === HBA) await writeFile(copy, HBA);
      else await cp(file, copy);
      await chmod(copy, 0o600);
      if (uid !== undefined) await chown(copy, uid, gid ?? uid);
      settings[setting] = copy;
    }
    socket = join(dir, "socket");
    await mkdir(socket);
    if (uid !== undefined) await chown(socket, uid, gid ?? uid);
    withTls = await startPostgres({ dir, settings: { ...settings, unix_socket_directories: socket } });
    without = await startPostgres({ dir: plain });
  });

  afterAll(async () => {
    await withTls?.stop();
    await without?.stop();
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  });

  /** Whether the connection has TLS. */
  function over(server: Postgres, sslmode: DatabaseReference["sslmode"], more: Partial<DatabaseReference> = {}) {
    const { host, port, adminUser: user, adminPassword } = server;
    return withDatabase(
      { host, port, database: "trader", sslmode, user, ...more },
      async (client) => (await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).rows[0].ssl,
      adminPassword,
    );
  }

  it("says nothing of a leaked password that pg_hba.conf does not admit from here", async () => {
    const { host, port } = withTls;
    const secret = { database: { host, port, name: "trader", sslmode: "require" } } as DatabasePasswordConfig;
    const leaked = (username: string) => tryLeaked(secret, { username, parts: { password: "found" } });
    expect(await leaked("shut_out")).toEqual({ answer: "unknown", evidence: expect.stringContaining("pg_hba.conf") });
    expect(await leaked("nobody")).toMatchObject({ answer: "refused" });
  });

  it.each([
    ["disable", false],
    ["allow", false],
    ["prefer", true],
    ["require", true],
  ] as const)("%s", async (mode, expected) => expect(await over(withTls, mode)).toBe(expected));

  it.each([["disable"], ["allow"], ["prefer"]] as const)("%s, if the server has no TLS", async (mode) =>
    expect(await over(without, mode)).toBe(false),
  );

  it("require and more are refused by a server without TLS", async () => {
    for (const mode of ["require", "verify-ca", "verify-full"] as const)
      await expect(over(without, mode)).rejects.toThrow(/does not support SSL/);
  });

  it("checks the server by the config's authority, for each database its own", async () => {
    expect(await over(withTls, "verify-full", { sslrootcert: CA })).toBe(true);
    expect(await over(withTls, "verify-ca", { sslrootcert: CA })).toBe(true);
    await expect(async () => over(withTls, "verify-full", { sslrootcert: "/no/such.pem" })).rejects.toThrow(
      /\/no\/such\.pem/,
    );
    await expect(over(withTls, "verify-full")).rejects.toThrow(/certificate|self.signed|issuer/i);
  });

  it("shows the client's certificate, also with a key that has a passphrase", async () => {
    const [dir = ""] = dirs;
    const file = (name: string) => join(dir, name);
    const key = createPrivateKey(await readFile(CLIENT_KEY, "utf8"));
    await writeFile(file("plain.key"), key.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const locked = key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "of the key" });
    await writeFile(file("locked.key"), locked, { mode: 0o600 });
    const shown = (sslkey: string, sslpassword?: string) => {
      const { host, port, adminUser: user, adminPassword } = withTls;
      return withDatabase(
        {
          host,
          port,
          database: "trader",
          sslmode: "require",
          user,
          sslcert: CLIENT,
          sslkey: file(sslkey),
          sslpassword,
        },
        async (client) =>
          (await client.query("SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).rows[0].client_dn,
        adminPassword,
      );
    };
    const dn = await shown("plain.key");
    expect(dn).toBe("/CN=rotation");
    expect(await shown("plain.key", "of the key")).toBe(dn);
    expect(await shown("locked.key", "of the key")).toBe(dn);
    for (const wrong of [undefined, "another"]) {
      const refused = String(await (async () => shown("locked.key", wrong))().catch((error: unknown) => error));
      expect(refused).toMatch(/the key of the client certificate \(sslkey, PGSSLKEY\) cannot be read: /);
      expect(refused).not.toContain("another");
      expect(advised("pulumi config set sslPassword", refused)).toBe("pulumi config set --secret sslPassword");
    }
  });

  it("has no meaning on a Unix socket", async () => {
    const { port, adminUser: user, adminPassword } = withTls;
    for (const sslmode of ["require", "verify-full", "prefer"] as const)
      expect(
        await withDatabase(
          { host: socket, port, database: "trader", sslmode, user },
          async (client) => (await client.query("SELECT inet_server_addr() AS address")).rows[0].address,
          adminPassword,
        ),
      ).toBeNull();
  });

  it("a wrong password is said as such, whichever way was tried first", async () => {
    const { host, port } = withTls;
    for (const sslmode of ["allow", "prefer"] as const) {
      const answer = await tryLogin(
        { host, port, database: "trader", sslmode },
        { username: "postgres", password: "x" },
      );
      expect(answer).toMatchObject({ outcome: "refused", evidence: expect.stringMatching(/password authentication/) });
    }
  });
});
