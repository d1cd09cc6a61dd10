import { readFileSync } from "node:fs";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkDocuments } from "../../../components/preflight/store";
import { storeClient } from "../../../stores";
import { storeReference } from "../../../stores/schemas";
import { writeEntry } from "../../../stores/write-entry";
import { setEnv, startTls, tls, useOpenBao, vaultStore, wish } from "./store-support";

const bao = useOpenBao();
const PATHS = ["database/username", "database/password"];
const data = (capabilities: string) => `path "secret/data/paper/*" { capabilities = ${capabilities} }`;
const metadata = (capabilities: string) => `path "secret/metadata/paper/*" { capabilities = ${capabilities} }`;
const ALL = `${data('["create", "read", "update"]')}\n${metadata('["read", "update"]')}`;

describe("the preflight of a store in Vault", () => {
  it("takes a token that may write and mark, and lasts", async () => {
    const token = await bao().createToken("all", ALL);
    const evidence = await vaultStore(bao().address, token).check(PATHS, 600);
    expect(evidence).toContain("secret/data/paper/database/password, secret/metadata/paper/database/username");
  });

  it.each([
    [
      "metadata",
      data('["create", "read", "update"]'),
      /may not read, update or patch secret\/metadata\/paper\/database\/username/,
    ],
    [
      "half of metadata",
      `${data('["create", "read", "update"]')}\n${metadata('["read"]')}`,
      /may not update or patch secret\/metadata/,
    ],
    [
      "creating",
      `${data('["read", "update"]')}\n${metadata('["read", "patch"]')}`,
      /may not create secret\/data\/paper\/database\/username/,
    ],
    [
      "one of two paths",
      `${ALL}\npath "secret/data/paper/database/username" { capabilities = ["deny"] }`,
      /may not create, read, update secret\/data\/paper\/database\/username \(it has: deny\); give/,
    ],
  ])("names the path and what is missing: %s", async (name, policy, words) => {
    const token = await bao().createToken(`lacks-${name.replaceAll(" ", "-")}`, policy);
    await expect(vaultStore(bao().address, token).check(PATHS, 60)).rejects.toThrow(words);
  });

  it("names the version of a mount of KV version 1, and a mount that is none", async () => {
    await bao().request("POST", "sys/mounts/old", { type: "kv", options: { version: "1" } });
    const at = (mount: string) => {
      setEnv({ VAULT_TOKEN: bao().rootToken });
      return storeClient(storeReference.parse({ kind: "vault", address: bao().address, mount, environment: "paper" }));
    };
    await expect(at("old").check(PATHS)).rejects.toThrow(
      /the mount `old` is KV version 1.*vault kv enable-versioning old/,
    );
    await expect(at("nowhere").check(PATHS)).rejects.toThrow(/Vault has no mount `nowhere`/);
  });

  async function tokenWith(more: Record<string, unknown>): Promise<string> {
    await bao().request("PUT", "sys/policies/acl/short", { policy: ALL });
    const { auth } = await bao().request("POST", "auth/token/create", {
      policies: ["short"],
      no_parent: true,
      ...more,
    });
    return (auth as { client_token: string }).client_token;
  }

  it.each([
    [
      "a token that ends too soon",
      { ttl: "4m", explicit_max_ttl: "4m" },
      /the token ends in \d minutes; expected at least 10 minutes.*: log in again$/,
    ],
    [
      "a renewable one",
      { ttl: "4m", renewable: true },
      /renew it \(`vault token renew -increment=10m`\), or log in again/,
    ],
    [
      "one that may be used a few times",
      { ttl: "1h", num_uses: 20 },
      /may be used 1\d more times; expected at least 100/,
    ],
  ])("refuses %s", async (_, more, words) => {
    await expect(vaultStore(bao().address, await tokenWith(more)).check(PATHS, 600)).rejects.toThrow(words);
  });

  it("refuses one that has ended, in Vault's words", async () => {
    const token = await tokenWith({ ttl: "1h" });
    await bao().request("POST", "auth/token/revoke", { token });
    await expect(vaultStore(bao().address, token).check(PATHS, 600)).rejects.toThrow(
      /answers 403: .*\(is VAULT_TOKEN valid and allowed\? `vault token lookup`\)/,
    );
  });

  it("does not ask for a path if Vault itself makes the credential, and for the token's life all the same", async () => {
    const token = await tokenWith({ ttl: "4m" });
    await expect(vaultStore(bao().address, token).check([], 600)).rejects.toThrow(/expected at least 10 minutes/);
    expect(await vaultStore(bao().address, await tokenWith({ ttl: "1h" })).check([], 600)).toContain(bao().address);
  });

  it("says where an unknown document has the value, and what to do; never that it is not there", async () => {
    await bao().putSecret("paper/database/password", { username: "trader", password: "theirs", host: "db" });
    const refused = await checkDocuments(store(), ["database/password"], undefined, "").catch(String);
    expect(refused).toContain("it is there under the key `password` (keys: `host`, `password`, `username`)");
    expect(refused).toContain("`vault kv patch -mount=secret paper/database/password value=-`");
    expect(refused).not.toMatch(/theirs|not in the store/);
    await bao().putSecret("paper/database/password", { value: "theirs", host: "db" });
    await checkDocuments(store(), ["database/password"], undefined, "");
    await expect(checkDocuments(store(), ["database/password"], [], "ADOPT IT")).rejects.toThrow(
      /the store holds a value that this stack does not know: database\/password: version 2, written .*ADOPT IT/,
    );
    const expected = [{ path: "database/password", value: "theirs" }];
    await checkDocuments(store(), ["database/password", "database/none"], expected, "ADOPT IT");
  });
});

const store = () => vaultStore(bao().address, bao().rootToken);

describe("a namespace", () => {
  it("is asked for all but Vault's health, which exists outside of it", async () => {
    await bao().request("POST", "sys/namespaces/trading", {});
    const within = (method: string, path: string, body: unknown) =>
      fetch(`${bao().address}/v1/${path}`, {
        method,
        headers: { "X-Vault-Token": bao().rootToken, "X-Vault-Namespace": "trading" },
        body: JSON.stringify(body),
      });
    expect((await within("POST", "sys/mounts/secret", { type: "kv", options: { version: "2" } })).status).toBe(204);
    await within("PUT", "sys/policies/acl/pipeline", { policy: ALL });
    const made = await within("POST", "auth/token/create", { policies: ["pipeline"], no_parent: true, ttl: "1h" });
    const { auth } = (await made.json()) as { auth: { client_token: string } };
    const client = vaultStore(bao().address, auth.client_token, { VAULT_NAMESPACE: "trading" });
    expect(await client.check(PATHS, 600)).toContain("secret/data/paper/database/password");
    await writeEntry(client, wish("database/namespaced", "inside", []));
    await client.mark("database/namespaced", { status: "active" });
    expect((await client.read("database/namespaced"))?.value).toBe("inside");
    expect(await bao().getSecret("paper/database/namespaced")).toBeUndefined();
    // A token of the namespace above does the same there.
    const root = vaultStore(bao().address, bao().rootToken, { VAULT_NAMESPACE: "trading" });
    expect(await root.check(PATHS, 600)).toContain("secret/data/paper/database/password");
  });
});

describe("a listener with a private CA", () => {
  let server: Awaited<ReturnType<typeof startTls>>;
  let address: string;

  beforeAll(async () => {
    server = await startTls(bao().address);
    address = server.url;
  });
  afterAll(() => server?.stop());

  const NONE = {
    VAULT_CACERT: undefined,
    VAULT_CAPATH: undefined,
    SSL_CERT_FILE: undefined,
    VAULT_SKIP_VERIFY: undefined,
    VAULT_TLS_SERVER_NAME: undefined,
  };
  const with_ = (env: Record<string, string>) => vaultStore(address, bao().rootToken, { ...NONE, ...env });

  it.each([
    ["VAULT_CACERT", () => ({ VAULT_CACERT: tls("ca.pem") })],
    ["VAULT_CACERT_BYTES", () => ({ VAULT_CACERT_BYTES: readFileSync(tls("ca.pem"), "utf8") })],
    ["VAULT_CAPATH", () => ({ VAULT_CAPATH: tls("") })],
    ["SSL_CERT_FILE", () => ({ SSL_CERT_FILE: tls("ca.pem") })],
    ["VAULT_SKIP_VERIFY", () => ({ VAULT_SKIP_VERIFY: "true" })],
    ["VAULT_TLS_SERVER_NAME", () => ({ VAULT_CACERT: tls("ca.pem"), VAULT_TLS_SERVER_NAME: "vault.internal" })],
  ])("is believed through %s: reads, checks, writes and marks", async (name, env) => {
    const client = with_(env());
    const path = `database/tls-${name.toLowerCase()}`;
    await client.check([path], 60);
    expect((await writeEntry(client, wish(path, "over TLS", []))).version).toBe("1");
    await client.mark(path, { status: "active" });
    vi.stubEnv("VAULT_CACERT_BYTES", undefined);
  });

  it("is not believed without it, nor with another name; an unreadable file is named", async () => {
    await expect(with_({}).check([])).rejects.toThrow(/does not answer: .*(unable to verify|self.signed)/);
    const named = with_({ VAULT_CACERT: tls("ca.pem"), VAULT_TLS_SERVER_NAME: "elsewhere.internal" });
    await expect(named.check([])).rejects.toThrow(/does not answer: .*elsewhere\.internal/);
    await expect(with_({ VAULT_CACERT: "/no/such.pem" }).check([])).rejects.toThrow(
      /VAULT_CACERT names \/no\/such\.pem, which cannot be read/,
    );
  });

  it("is believed by a built step, and by the program that asks when Vault rotated last", async () => {
    const input = { store: { kind: "vault", address, mount: "secret", environment: "paper" }, paths: ["none"] };
    const env = { VAULT_TOKEN: bao().rootToken, VAULT_CACERT: tls("ca.pem") };
    const { stdout } = await execa("node", ["dist/steps/store-versions.mjs"], { input: JSON.stringify(input), env });
    expect(JSON.parse(stdout)).toEqual({ entries: [] });
  });
});
