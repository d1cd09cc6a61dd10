import { describe, expect, it } from "vitest";
import type { VaultDynamicConfig } from "../../../config";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { VaultDynamicLogins } from "../../../kinds/vault-dynamic/component";
import { leaseFingerprint } from "../../../kinds/vault-dynamic/definition";
import { nextLeaseState } from "../../../kinds/vault-dynamic/next-state";
import { type Declared, inputOf, namedIn } from "./strict-mocks";
import { declareVault } from "./vault-platform";

const config: VaultDynamicConfig = {
  kind: "postgres-password",
  name: "database/password",
  strategy: "vault-dynamic",
  database: { host: "db", port: 5432, name: "trader", sslmode: "require" },
  role: "trader",
  vault: { mount: "database", createMount: true, connection: "trader", username: "vault_admin", rotateRoot: false },
  defaultTtl: 3_600_000 as never,
  maxTtl: 86_400_000 as never,
  restart: ["orchestrator", "signal-service"],
};

const now = new Date("2026-11-23T02:00:00Z");
const definition = leaseFingerprint(config);
const first = nextLeaseState(undefined, { now, definition });
const leaked = { id: "r", secret: "database/password", rotate: true as const, emergency: true as const, reason: "x" };
const asked = nextLeaseState(first, { now, definition, request: leaked });

const resources = (state: SecretState): Promise<Declared[]> =>
  declareVault(
    [config],
    (platform, databases) =>
      new VaultDynamicLogins("database-password", { config, state, policy, platform, databases }).state,
  );

describe("VaultDynamicLogins", () => {
  it("declares exactly this, in the order in which it happens", async () => {
    const all = await resources(first);
    const order = all.filter(({ type }) => !type.startsWith("secret-rotation") && !type.startsWith("pulumi:"));
    expect(order.map(({ name }) => name).filter((name) => name !== "database-password-audit-history")).toEqual([
      "database-password-preflight-checks",
      "vault-mount-database",
      "vault-connection-database-trader",
      "database-password-role-orchestrator",
      "database-password-policy-orchestrator",
      "database-password-proof-orchestrator",
      "database-password-role-signal-service",
      "database-password-policy-signal-service",
      "database-password-proof-signal-service",
      "database-password-restart-orchestrator",
      "database-password-restart-signal-service",
      "database-password-end-older",
      "database-password-audit-row",
    ]);
  });

  it("lets each service have and renew its own logins, and nothing else", async () => {
    const all = await resources(first);
    expect(namedIn(all, "database-password-policy-orchestrator")).toEqual({
      name: "paper-database-password-orchestrator",
      policy:
        'path "database/creds/orchestrator-trader" { capabilities = ["read"] }\n' +
        'path "sys/leases/renew" { capabilities = ["update"] }\n',
    });
    expect(namedIn(all, "vault-connection-database-trader")).toMatchObject({
      allowedRoles: ["orchestrator-trader", "signal-service-trader"],
    });
    expect(namedIn(all, "database-password-role-orchestrator")).toMatchObject({
      name: "orchestrator-trader",
      dbName: "trader",
      defaultTtl: 3600,
      maxTtl: 86_400,
      creationStatements: [
        expect.stringContaining('IN ROLE "trader"'),
        expect.stringContaining('SET role TO "trader"'),
      ],
    });
  });

  it("has the preflight look at what is there: first for what belongs to others, later for its own", async () => {
    const input = async (state: SecretState) => inputOf(await resources(state), "database-password-preflight-checks");
    expect(await input(first)).toMatchObject({
      mode: "rotation",
      leases: { taken: false, roles: ["orchestrator-trader", "signal-service-trader"], database: { role: "trader" } },
    });
    expect(await input(asked)).toMatchObject({ mode: "emergency", leases: { taken: true } });
  });

  it("acts once a generation, and has no secret outside stdin", async () => {
    for (const { type, name, inputs } of await resources(asked)) {
      if (!type.startsWith("command:")) continue;
      expect(inputs.triggers, name).toEqual([name.endsWith("audit-row") ? "2-ROTATE-2" : "2"]);
      expect(inputs).not.toHaveProperty("environment");
      expect(JSON.stringify([inputs.create, inputs.update, inputs.triggers])).not.toContain("own-login-of-vault");
    }
  });

  it("is a new generation if the ttl, the owner or the statements change, and nowhere else", () => {
    const changed = (more: Partial<VaultDynamicConfig>) => leaseFingerprint({ ...config, ...more }) !== definition;
    expect(changed({ defaultTtl: 1_800_000 as never })).toBe(true);
    expect(changed({ maxTtl: 1_800_000 as never })).toBe(true);
    expect(changed({ role: "owner" })).toBe(true);
    expect(changed({ revocationStatements: ['DROP ROLE "{{name}}"'] })).toBe(true);
    expect(changed({ restart: ["orchestrator"], database: { ...config.database, host: "db2" } })).toBe(false);
  });
});
