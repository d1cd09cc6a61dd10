import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { type Cell, MATRIX, STORES, STRATEGIES, type Strategy } from "../../engine/matrix";
import { configWith, parse, problemsOf, rightSecret } from "./example";

const PAIR = { label: "paper-trading-2026-11-23", keyId: "PKAAAAAAAA", secretKey: "secret-of-the-key" };

/** What a secret that Vault makes needs beside it. */
const VAULTS_OWN = [
  [["connectionPasswords"], { trader: "pw-of-vaults-own-login" }],
  [["adopted"], {}],
] as const;

const madeByVault = (strategy: string) =>
  rightSecret({
    strategy,
    vault: { username: "vault_admin" },
    ...(strategy === "vault-static" ? { rotationPeriod: "30d" } : {}),
  });

/** A right config whose one secret rotates like this, kept there. */
function configOf(strategy: Strategy, store: object) {
  const key = { kind: "alpaca-key", restart: ["orchestrator"] };
  if (strategy === "vault-static" || strategy === "vault-dynamic") {
    return configWith([["secrets"], [madeByVault(strategy)]], ...VAULTS_OWN, [["store"], store]);
  }
  if (strategy === "redis-password") {
    const redis = {
      kind: strategy,
      name: "redis/password",
      user: "app",
      nodes: ["redis:6379"],
      restart: ["orchestrator"],
    };
    const audit = { host: "db.internal", name: "trader" };
    return configWith([["secrets"], [redis]], [["adopted"], undefined], [["audit"], audit], [["store"], store]);
  }
  if (strategy === "api-key") {
    const verify = { request: "GET https://api.example.com/", headers: { Authorization: "Bearer {key}" } };
    const own = { kind: strategy, name: "market-data/api-key", verify, restart: ["orchestrator"] };
    const current = { label: PAIR.label, values: { key: PAIR.secretKey } };
    return configWith(
      [["secrets"], [own]],
      [["adopted"], undefined],
      [["apiKeys"], { "market-data/api-key": { current } }],
      [["audit"], { host: "db.internal", name: "trader" }],
      [["store"], store],
    );
  }
  if (strategy === "custom") {
    const commands = { issue: "a", verify: "b", revoke: "c" };
    const secret = { kind: strategy, name: "search/key", fields: ["key"], commands, restart: ["orchestrator"] };
    const audit = { host: "db.internal", name: "trader" };
    return configWith([["secrets"], [secret]], [["adopted"], undefined], [["audit"], audit], [["store"], store]);
  }
  return strategy === "alpaca-key"
    ? configWith(
        [["secrets"], [key]],
        [["adopted"], undefined],
        [["alpacaKeys"], { "alpaca/api_key": { current: PAIR } }],
        [["audit"], { host: "db.internal", name: "trader" }],
        [["store"], store],
      )
    : configWith([["secrets"], [rightSecret({ strategy })]], [["store"], store]);
}

const storeOf = (kind: string) => (kind === "aws" ? { kind, region: "us-east-1" } : { kind });

const CELLS = STRATEGIES.flatMap((strategy) =>
  STORES.map((store) => ({ strategy, store, cell: MATRIX[strategy][store] as Cell })),
);

it.each(CELLS)("$strategy in $store is shown by the real engine, or refused by the config with the reason", (given) => {
  const { strategy, store, cell } = given;
  const config = configOf(strategy, storeOf(store));
  if ("refused" in cell) {
    expect(problemsOf(config)).toEqual([
      `secrets[0].strategy: expected single-user or alternating-users, since the store is ${store}, found ${strategy}: ${cell.refused}`,
    ]);
    return;
  }
  expect(parse(config).store.kind).toBe(store);
  expect(existsSync(join(projectRoot(), "test/engine", `${cell.shownBy}.test.ts`))).toBe(true);
});

it("refuses a strategy or a store that the matrix does not have, and says which there are", () => {
  const found = (config: Record<string, unknown>) => problemsOf(config).join("\n");
  expect(found(configWith([["secrets", 0, "strategy"], "both"]))).toContain("single-user");
  expect(found(configWith([["store"], { kind: "azure" }]))).toMatch(/store\.kind: expected .*vault.*aws/);
  const ownStrategy = { kind: "alpaca-key", restart: ["orchestrator"], strategy: "single-user" };
  expect(found(configWith([["secrets"], [rightSecret(), ownStrategy]]))).toContain(
    "secrets[1].strategy: unknown key; expected one of kind, name, keyIdPath",
  );
});
