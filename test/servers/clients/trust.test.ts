import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpWith } from "../../../clients/http";
import { awsTrust, databaseTrust, publicTrust, type Trust, vaultTrust } from "../../../clients/trust";
import type { SslMode } from "../../../core/schema-parts";

const certificates = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "tls");
const CA = join(certificates, "ca.pem");
const text = readFileSync(CA, "utf8");
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "trust-"));
  await mkdir(join(home, "folder"));
  await cp(CA, join(home, "folder", "one.pem"));
  await writeFile(join(home, "folder", "README"), "no certificate");
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe("which authorities a client believes", () => {
  it("nothing set: as Node.js does by itself", () => {
    for (const trust of [publicTrust, awsTrust, vaultTrust]) {
      expect(trust({})).toBeUndefined();
      expect(
        trust({ SSL_CERT_FILE: "", VAULT_CACERT: "", AWS_CA_BUNDLE: "", VAULT_SKIP_VERIFY: "false" }),
      ).toBeUndefined();
    }
  });

  it("SSL_CERT_FILE and SSL_CERT_DIR beside the public ones, for all of them", () => {
    for (const trust of [publicTrust, awsTrust, vaultTrust]) {
      expect(trust({ SSL_CERT_FILE: CA })?.ca).toEqual([...rootCertificates, text]);
      expect(trust({ SSL_CERT_DIR: join(home, "folder") })?.ca).toEqual([...rootCertificates, text]);
    }
  });

  it("what Node.js was told by NODE_EXTRA_CA_CERTS is not lost", () => {
    expect(publicTrust({ SSL_CERT_FILE: CA, NODE_EXTRA_CA_CERTS: CA })?.ca).toEqual([...rootCertificates, text, text]);
  });

  it("AWS_CA_BUNDLE goes before SSL_CERT_FILE", () => {
    expect(awsTrust({ AWS_CA_BUNDLE: CA, SSL_CERT_FILE: "/none" })?.ca).toEqual([...rootCertificates, text]);
  });

  it("Vault's own instead of all others, as the `vault` command does", () => {
    expect(vaultTrust({ VAULT_CACERT: CA, SSL_CERT_FILE: "/none" })).toEqual({ ca: [text] });
    expect(vaultTrust({ VAULT_CACERT_BYTES: text, VAULT_CACERT: "/none" })).toEqual({ ca: [text] });
    expect(vaultTrust({ VAULT_CAPATH: join(home, "folder") })).toEqual({ ca: [text] });
    const more = {
      VAULT_SKIP_VERIFY: "1",
      VAULT_TLS_SERVER_NAME: "vault",
      VAULT_CLIENT_CERT: CA,
      VAULT_CLIENT_KEY: CA,
    };
    expect(vaultTrust(more)).toEqual({ rejectUnauthorized: false, servername: "vault", cert: text, key: text });
  });

  it("a file that cannot be read is named with its variable", () => {
    expect(() => publicTrust({ SSL_CERT_FILE: "/no/such.pem" })).toThrow(/SSL_CERT_FILE names \/no\/such\.pem, which/);
    expect(() => vaultTrust({ VAULT_CAPATH: "/no/such" })).toThrow(/VAULT_CAPATH names \/no\/such, which/);
    expect(() => databaseTrust("verify-full", { PGSSLROOTCERT: "/no/such.crt" })).toThrow(/PGSSLROOTCERT names/);
  });
});

describe("PostgreSQL, as libpq", () => {
  const trust = (mode: SslMode, env: Record<string, string> = {}) => databaseTrust(mode, { HOME: home, ...env });
  const anyName = { checkServerIdentity: expect.any(Function) };

  it.each([
    ["disable", {}, false],
    ["allow", { PGSSLROOTCERT: CA }, { rejectUnauthorized: false }],
    ["prefer", {}, { rejectUnauthorized: false }],
    ["require", {}, { rejectUnauthorized: false }],
    ["require", { PGSSLROOTCERT: CA }, { ca: [text], ...anyName }],
    ["verify-ca", { PGSSLROOTCERT: CA }, { ca: [text], ...anyName }],
    ["verify-full", { PGSSLROOTCERT: CA }, { ca: [text] }],
    ["verify-full", { PGSSLROOTCERT: "system" }, {}],
    ["verify-full", {}, {}],
    ["verify-full", { PGSSLROOTCERT: CA, PGSSLCERT: CA, PGSSLKEY: CA }, { ca: [text], cert: text, key: text }],
  ] as const)("%s with %j", (mode, env, expected) => {
    expect(trust(mode, env)).toEqual(expected);
  });

  it("takes ~/.postgresql/root.crt if nothing is named", async () => {
    await mkdir(join(home, "with", ".postgresql"), { recursive: true });
    await cp(CA, join(home, "with", ".postgresql", "root.crt"));
    expect(trust("verify-full", { HOME: join(home, "with") })).toEqual({ ca: [text] });
    expect(() => trust("verify-full", { HOME: join(home, "with"), PGSSLCERT: CA })).toThrow(/certificate has no key/);
    expect(() => trust("require", { HOME: home, PGSSLCERT: "/no/such.crt" })).toThrow(/sslcert or PGSSLCERT names/);
    for (const name of ["postgresql.crt", "postgresql.key"]) await cp(CA, join(home, "with", ".postgresql", name));
    expect(trust("verify-full", { HOME: join(home, "with") })).toEqual({ ca: [text], cert: text, key: text });
  });

  it("takes the public authorities for verify-full alone: they sign for every name", () => {
    expect(trust("verify-full", { PGSSLROOTCERT: "system" })).toEqual({});
    for (const mode of ["require", "verify-ca", "prefer"] as const)
      expect(() => trust(mode, { PGSSLROOTCERT: "system" })).toThrow("expected sslmode verify-full with sslrootcert");
  });
});

describe("HTTP with a private authority", () => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    const [key, cert] = ["server.key", "server.pem"].map((name) => readFileSync(join(certificates, name)));
    server = createServer({ key, cert }, async (asked, answer) => {
      if (asked.url === "/away") {
        answer.writeHead(302, { Location: "/" }).end();
        return;
      }
      const body = Buffer.concat((await asked.toArray()) as Buffer[]).toString();
      answer.end(JSON.stringify({ method: asked.method, body, header: asked.headers["x-test"] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const asked = async (trust: Trust | undefined, path = "") => (await httpWith(trust))(`${url}${path}`, NO_RETRY);

  it("asks with method, headers and body, and follows a redirect only if it may", async () => {
    const http = await httpWith({ ca: [text] });
    const post = { ...NO_RETRY, body: "a body", headers: { "X-Test": "1" } };
    expect(await http.post(url, post).json()).toEqual({ method: "POST", body: "a body", header: "1" });
    expect((await asked({ ca: [text] }, "/away")).statusCode).toBe(200);
    expect((await http(`${url}/away`, { ...NO_RETRY, followRedirect: false })).statusCode).toBe(302);
  });

  it("believes nobody else", async () => {
    await expect(asked(undefined)).rejects.toThrow(/certificate/);
    await expect(asked({ ca: [...rootCertificates] })).rejects.toThrow(/certificate/);
    expect((await asked({ rejectUnauthorized: false })).statusCode).toBe(200);
  });
});

const NO_RETRY = { retry: { limit: 0 } };
