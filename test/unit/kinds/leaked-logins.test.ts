import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { VaultDynamicConfig } from "../../../config";
import { loginsOfVault } from "../../../kinds/vault-dynamic/leaked";

const secret = {
  restart: ["signal-service", "risk"],
  vault: { mount: "database", connection: "trader" },
  database: { name: "trader" },
} as unknown as VaultDynamicConfig;

const USER = "v-token-signal-s-AbCdEfGhIjKlMnOpQrSt-1795000000";
const PASSWORD = "a-1B2c3D4e5F6g7H8i9J";
const found = (text: string) => loginsOfVault(secret, text);

describe("a login that Vault made", () => {
  it.each([
    ["in a connection string", `postgres://${USER}:${PASSWORD}@db:5432/trader`],
    ["in JSON", JSON.stringify({ username: USER, password: PASSWORD })],
    ["in a header", `Authorization: Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`],
    ["URL-encoded", `u=${USER}&p=${PASSWORD}%26`],
  ])("is found by its name, with its password, %s", (_, text) => {
    expect(found(text)).toEqual([{ username: USER, passwords: [PASSWORD] }]);
  });

  it("is found without a password, of a short role, and whoever asked Vault", () => {
    expect(found(`login ${USER} was idle`)).toEqual([{ username: USER, passwords: [] }]);
    const short = "v-kubernet-risk-tra-AbCdEfGhIjKlMnOpQrSt-1795000000";
    expect(found(short)).toEqual([{ username: short, passwords: [] }]);
  });

  it("is none of another role's, and none in what is random", () => {
    expect(found(USER.replace("signal-s", "payments"))).toEqual([]);
    expect(found(USER.replace(/\d$/, ""))).toEqual([]);
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => found(text).length === 0));
  });
});
