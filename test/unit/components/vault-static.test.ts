import { describe, expect, it } from "vitest";
import type { VaultStaticConfig } from "../../../config";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { VaultStaticPassword } from "../../../kinds/vault-static/component";
import { nextVaultState } from "../../../kinds/vault-static/next-state";
import { type Declared, inputOf, namedIn } from "./strict-mocks";
import { declareVault } from "./vault-platform";

const config: VaultStaticConfig = {
  kind: "postgres-password",
  name: "database/password",
  strategy: "vault-static",
  database: { host: "db", port: 5432, name: "trader", sslmode: "require" },
  role: "trader",
  staticRole: "trader",
  vault: { mount: "database", createMount: true, connection: "trader", username: "vault_admin", rotateRoot: true },
  rotationPeriod: 2_592_000_000 as never,
  restart: ["orchestrator"],
};

const now = new Date("2026-11-23T02:00:00Z");
const rotation = "2026-11-24T02:00:00Z";
const first: SecretState = { ...nextVaultState(undefined, { now, policy }), vaultRotation: now.toISOString() };
const byVault = nextVaultState(first, { now: new Date("2026-11-25T02:00:00Z"), policy, rotation });
const request = { id: "r", secret: "database/password", rotate: true as const, reason: "x" };
const forced = nextVaultState(first, { now, policy, request, rotation: first.vaultRotation });

const resources = (
  state: SecretState,
  given: VaultStaticConfig = config,
  more: Parameters<typeof declareVault>[2] = {},
): Promise<Declared[]> =>
  declareVault(
    [given],
    (platform, databases) =>
      new VaultStaticPassword("database-password", { config: given, state, policy, platform, databases }).state,
    more,
  );

const named = namedIn;
const input = (all: Declared[], name: string) => inputOf(all, `database-password-${name}`);

describe("VaultStaticPassword", () => {
  it("declares exactly this, in the order in which it happens", async () => {
    const all = await resources(first);
    const order = all.filter(({ type }) => !type.startsWith("secret-rotation") && !type.startsWith("pulumi:"));
    expect(order.map(({ name }) => name).filter((name) => name !== "database-password-audit-history")).toEqual([
      "database-password-preflight-checks",
      "vault-mount-database",
      "vault-connection-database-trader",
      "vault-rotate-root-database-trader",
      "database-password-policy",
      "database-password-static-role",
      "database-password-vault-rotation",
      "database-password-verify-login",
      "database-password-restart-orchestrator",
      "database-password-confirm-login",
      "database-password-audit-row",
    ]);
    const without = await resources(first, {
      ...config,
      vault: { ...config.vault, createMount: false, rotateRoot: false },
    });
    expect(named(without, "vault-mount-database")).toBeUndefined();
    expect(named(without, "vault-rotate-root-database-trader")).toBeUndefined();
  });

  it("takes over the mount that a dead first update left, and makes it otherwise", async () => {
    const mount = async (...left: string[]) =>
      (await resources(first, config, { leftMounts: new Set(left) })).find(
        ({ type }) => type === "vault:index/mount:Mount",
      );
    expect(await mount("database")).toMatchObject({ imported: "database", inputs: { path: "database" } });
    expect(await mount("another")).toMatchObject({ imported: undefined, inputs: { path: "database" } });
  });

  it("lets services read the one path, and Vault hash what it sends to the database", async () => {
    const all = await resources(first);
    expect(named(all, "database-password-policy")).toEqual({
      name: "paper-database-password",
      policy: 'path "database/static-creds/trader" { capabilities = ["read"] }\n',
    });
    expect(named(all, "database-password-static-role")).toMatchObject({
      username: "trader",
      rotationPeriod: 2_592_000,
    });
    expect(JSON.stringify(named(all, "vault-connection-database-trader"))).toContain("scram-sha-256");
  });

  it("asks Vault for a rotation only if a request or the age says so", async () => {
    expect(input(await resources(first), "vault-rotation").force).toBe(false);
    expect(input(await resources(byVault), "vault-rotation").force).toBe(false);
    expect(input(await resources(forced), "vault-rotation").force).toBe(true);
  });

  it("rolls out what Vault did without asking for healthy services or a closed market", async () => {
    const mode = async (state: SecretState) => input(await resources(state), "preflight-checks").mode;
    expect(await mode(first)).toBe("rotation");
    expect(await mode(byVault)).toBe("repair");
    expect(await mode(forced)).toBe("rotation");
  });

  it("triggers all that acts by the generation alone, and has no secret outside stdin", async () => {
    for (const { type, name, inputs } of await resources(byVault)) {
      if (!type.startsWith("command:")) continue;
      const expected = name.endsWith("audit-row") ? "2-ROTATE-2" : name.startsWith("vault-") ? "vault_admin" : "2";
      expect(inputs.triggers, name).toEqual([expected]);
      expect(inputs).not.toHaveProperty("environment");
      expect(JSON.stringify([inputs.create, inputs.update, inputs.triggers])).not.toContain("own-login-of-vault");
    }
  });
});
