import { describe, expect, it } from "vitest";
import { lackingCapabilities, refusedMount, refusedToken } from "../../../core/vault-needs";

describe("a token's capabilities", () => {
  const needs = { "secret/data/a": ["create", "read"], "secret/metadata/a": ["read", ["update", "patch"]] };

  it.each([
    [{ "secret/data/a": ["create", "read", "list"], "secret/metadata/a": ["read", "patch"] }],
    [{ "secret/data/a": ["read", "create"], "secret/metadata/a": ["update", "read"] }],
    [{ "secret/data/a": ["root"], "secret/metadata/a": ["root"] }],
  ])("are enough: %j", (has) => {
    expect(lackingCapabilities(needs, has)).toBeUndefined();
  });

  it("name each path and what is missing there", () => {
    expect(lackingCapabilities(needs, { "secret/data/a": ["read"], "secret/metadata/a": ["deny"] })).toBe(
      "the token may not create secret/data/a (it has: read); read, update or patch secret/metadata/a (it has: deny); " +
        "give its policy these capabilities",
    );
    expect(lackingCapabilities({ "sys/x": ["sudo"] }, {})).toContain("sudo sys/x (it has: nothing)");
    expect(lackingCapabilities({ "sys/x": ["read", "sudo"] }, { "sys/x": ["list", "create"] })).toContain(
      "the token may not read, sudo sys/x (it has: list, create);",
    );
  });
});

describe("a mount", () => {
  it("is KV version 2", () => {
    expect(refusedMount("secret", { type: "kv", options: { version: "2" } })).toBeUndefined();
  });

  it.each([
    [{ type: "kv", options: { version: "1" } }, "KV version 1"],
    [{ type: "kv", options: null }, "`vault kv enable-versioning secret`"],
    [{ type: "generic" }, "KV version 1"],
    [{ type: "database", options: null }, "of the type database; expected kv, version 2"],
    [
      undefined,
      "Vault has no mount `secret`, or the token may read nothing in it: compare the config key store.mount with " +
        "`vault secrets list`, and VAULT_NAMESPACE, if there are namespaces",
    ],
  ])("is refused: %j", (about, words) => {
    expect(refusedMount("secret", about)).toContain(words);
  });
});

describe("a token's life", () => {
  it.each([[{ ttl: 0, num_uses: 0 }], [{ ttl: 600, num_uses: 0 }], [{ ttl: 86_400, num_uses: 100 }], [{}]])(
    "lasts for ten minutes: %j",
    (token) => {
      expect(refusedToken(token, 600)).toBeUndefined();
    },
  );

  it("says how long it must last, and how it can", () => {
    expect(refusedToken({ ttl: 4, renewable: false }, 541)).toBe(
      "the token ends in 4 s; expected at least 10 minutes, which this rotation may take: log in again",
    );
    expect(refusedToken({ ttl: 599, renewable: true }, 600)).toContain(
      "ends in 9 minutes; expected at least 10 minutes, which this rotation may take: renew it (`vault token renew -increment=20m`), or log in again",
    );
    const renew = "renew it (`vault token renew -increment=20m`)";
    expect(refusedToken({ ttl: 4, renewable: true, explicit_max_ttl: 600 }, 600)).toContain(renew);
    expect(refusedToken({ ttl: 4, renewable: true, explicit_max_ttl: 599 }, 600)).not.toContain("renew it");
    expect(refusedToken({ ttl: 4 }, 600)).not.toContain("renew it");
    expect(refusedToken({ ttl: 119 }, 600)).toContain("ends in 119 s;");
    expect(refusedToken({ ttl: 120 }, 600)).toContain("ends in 2 minutes;");
    expect(refusedToken({ ttl: 0, num_uses: 3 }, 600)).toContain("may be used 3 more times; expected at least 100");
  });
});
