import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkCurrentValue, checkDocuments } from "../../../components/preflight/store";
import { storeClient } from "../../../stores";
import { storeReference } from "../../../stores/schemas";
import { writeEntry } from "../../../stores/write-entry";
import { inShell } from "../../advice/shell";
import { advised } from "../../advice/table";
import { onATerminal } from "../../engine/terminal";
import { openBaoPath } from "../lab/tools";
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
    const old = await at("old").check(PATHS).catch(String);
    expect(old).toMatch(/the mount `old` is KV version 1.*vault kv enable-versioning old/);
    expect(await vault(advised("vault kv enable-versioning", old))).toMatchObject({ code: 0 });
    await expect.poll(() => at("old").check(PATHS).catch(String)).toContain("old/data/paper/database/password");
    const nowhere = await at("nowhere").check(PATHS).catch(String);
    expect(nowhere).toMatch(/Vault has no mount `nowhere`/);
    expect((await vault(advised("vault secrets list", nowhere))).said).toMatch(/^secret\/ +kv/m);
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
      /renew it \(`vault token renew -increment=20m`\), or log in again/,
    ],
    [
      "one that may be used a few times",
      { ttl: "1h", num_uses: 20 },
      /may be used 1\d more times; expected at least 100/,
    ],
  ])("refuses %s", async (_, more, words) => {
    await expect(vaultStore(bao().address, await tokenWith(more)).check(PATHS, 600)).rejects.toThrow(words);
  });

  it("lets a renewable one be renewed as it says", async () => {
    const token = await tokenWith({ ttl: "4m", renewable: true });
    const refused = await vaultStore(bao().address, token).check(PATHS, 600).catch(String);
    expect(await vault(advised("vault token renew", refused), token)).toMatchObject({ code: 0 });
    expect(await vaultStore(bao().address, token).check(PATHS, 600)).toContain(bao().address);
  });

  it("refuses one that has ended, in Vault's words", async () => {
    const token = await tokenWith({ ttl: "1h" });
    await bao().request("POST", "auth/token/revoke", { token });
    const refused = await vaultStore(bao().address, token).check(PATHS, 600).catch(String);
    expect(refused).toMatch(/answers 403: .*\(is VAULT_TOKEN valid and allowed\? `vault token lookup`\)/);
    expect((await vault(advised("vault token lookup", refused), token)).code).not.toBe(0);
    expect(await vault(advised("vault token lookup", refused))).toMatchObject({ code: 0 });
  });

  it("without a token says where one comes from", async () => {
    const home = await mkdtemp(join(tmpdir(), "vault-home-"));
    const ask = () => {
      setEnv({ VAULT_TOKEN: undefined, HOME: home, VAULT_ADDR: undefined });
      return storeClient(
        storeReference.parse({ kind: "vault", address: bao().address, mount: "secret", environment: "paper" }),
      );
    };
    try {
      const { shown } = await onATerminal(["sh", "-c", advised("vault login", String(thrown(ask)))], {
        env: { PATH: path(), VAULT_ADDR: bao().address, HOME: home },
        answers: [["hidden", bao().rootToken]],
      });
      expect(shown).toContain("Success!");
      expect(await ask().check(PATHS, 60)).toContain(bao().address);
    } finally {
      vi.stubEnv("HOME", undefined);
      vi.unstubAllEnvs();
      await rm(home, { recursive: true });
    }
  });

  it("that is sealed says what shows it, and what opens it", async () => {
    await bao().seal();
    const refused = await store().check(PATHS).catch(String);
    const unread = await store().read("database/password").catch(String);
    expect((await vault(advised("vault status", String(unread)))).said).toMatch(/^Sealed +true$/m);
    // Whoever has a key gives it when asked.
    expect((await vault(`${advised("vault operator unseal", refused)} "$KEY"`)).said).toMatch(/^Sealed +false$/m);
    await bao().unseal();
    expect(await store().check(PATHS)).toContain(bao().address);
  });

  it("that limits requests says where the limit is", async () => {
    await bao().request("POST", "sys/quotas/rate-limit/of-the-test", { rate: 1, interval: "60s", path: "secret/" });
    const asks = async () => {
      for (let count = 0; count < 5; count++) await store().read("database/none");
      return "nothing was limited";
    };
    const refused = await asks().catch(String);
    expect(refused).toContain("answers 429");
    expect((await vault(advised("vault list sys/quotas", refused))).said).toContain("of-the-test");
    await bao().request("DELETE", "sys/quotas/rate-limit/of-the-test");
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
    expect(await vault(advised("vault kv patch", String(refused)), undefined, "in-use")).toMatchObject({ code: 0 });
    await checkDocuments(store(), ["database/password"], undefined, "");
    expect((await bao().getSecret("paper/database/password"))?.data).toEqual({
      ...{ username: "trader", password: "theirs", host: "db" },
      value: "in-use",
    });
    await bao().request("DELETE", "secret/data/paper/database/password");
    const entries = [{ path: "database/password", value: "in-use" }];
    const gone = await checkCurrentValue(store(), entries, "").catch(String);
    expect(gone).toContain("holds nothing (version 2 was deleted at");
    expect(await vault(advised("vault kv undelete", gone))).toMatchObject({ code: 0 });
    expect(await checkCurrentValue(store(), entries, "")).toBe("database/password version 2");
    await bao().putSecret("paper/database/password", { value: "theirs", host: "db" });
    await checkDocuments(store(), ["database/password"], undefined, "");
    await expect(checkDocuments(store(), ["database/password"], [], "ADOPT IT")).rejects.toThrow(
      /the store holds a value that this stack does not know: database\/password: version 3, written .*ADOPT IT/,
    );
    const expected = [{ path: "database/password", value: "theirs" }];
    await checkDocuments(store(), ["database/password", "database/none"], expected, "ADOPT IT");
  });
});

/** `vault`, as OpenBao's own command, with the administrator's token or another. */
const path = () => `${bin}:${process.env.PATH}`;
const vault = (line: string, token = bao().rootToken, input = "") =>
  inShell(line, {
    input,
    env: {
      PATH: path(),
      VAULT_ADDR: bao().address,
      VAULT_TOKEN: token,
      VAULT_NAMESPACE: undefined,
      KEY: bao().unsealKey,
    },
  });
let bin = "";
beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), "vault-bin-"));
  await symlink(await openBaoPath(), join(bin, "vault"));
});
afterAll(() => rm(bin, { recursive: true }));

const thrown = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

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
