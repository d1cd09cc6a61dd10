import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../toolchain/project";
import { MATRIX, STORES, STRATEGIES, type Strategy } from "../e2e/matrix";
import { configWith, parse, problemsOf, rightSecret } from "./example";

const PAIR = { label: "paper-trading-2026-11-23", keyId: "PKAAAAAAAA", secretKey: "secret-of-the-key" };

/** A right config whose one secret rotates like this, kept there. */
function configOf(strategy: Strategy, store: object) {
  const key = { kind: "alpaca-key", restart: ["orchestrator"] };
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

it.each(STRATEGIES.flatMap((strategy) => STORES.map((store) => [strategy, store] as const)))(
  "%s in %s is accepted by the config, and a test by the real engine shows it",
  (strategy, store) => {
    expect(parse(configOf(strategy, storeOf(store))).store.kind).toBe(store);
    expect(existsSync(join(projectRoot(), "test/e2e", `${MATRIX[strategy][store]}.test.ts`))).toBe(true);
  },
);

it("refuses a strategy or a store that the matrix does not have, and says which there are", () => {
  const found = (config: Record<string, unknown>) => problemsOf(config).join("\n");
  expect(found(configWith([["secrets", 0, "strategy"], "both"]))).toContain("single-user");
  expect(found(configWith([["store"], { kind: "azure" }]))).toMatch(/store\.kind: expected .*vault.*aws/);
  const ownStrategy = { kind: "alpaca-key", restart: ["orchestrator"], strategy: "single-user" };
  expect(found(configWith([["secrets"], [rightSecret(), ownStrategy]]))).toContain(
    "secrets[1].strategy: unknown key; expected one of kind, name, keyIdPath",
  );
});

it("refuses a password that Vault makes where the store is AWS, with the reason", () => {
  const made = rightSecret({ strategy: "vault-static", vault: { username: "vault_admin" }, rotationPeriod: "30d" });
  const config = configWith(
    [["secrets"], [made]],
    [["connectionPasswords"], { trader: "pw-of-vaults-own-login" }],
    [["adopted"], {}],
    [["store"], storeOf("aws")],
  );
  expect(problemsOf(config)).toEqual([
    "secrets[0].strategy: expected single-user or alternating-users where the store is aws, found vault-static: the " +
      "credential is read from Vault itself, so store.kind must be vault",
  ]);
});
