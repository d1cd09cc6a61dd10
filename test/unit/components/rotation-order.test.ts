import { expect, test } from "vitest";
import { waitsFor } from "../../../components/rotation-order";
import type { AlpacaKeyConfig, PostgresPasswordConfig } from "../../../config";

const password = (name: string, ...restart: string[]): PostgresPasswordConfig => ({
  kind: "postgres-password",
  name: `${name}/password`,
  strategy: "alternating-users",
  database: { host: "db", port: 5432, name, sslmode: "require" },
  role: name,
  restart,
});
const key = { kind: "alpaca-key", name: "alpaca/api_key", restart: ["execution-gateway"] } as AlpacaKeyConfig;

test("passwords of different databases wait for each other only if they restart a service in common", () => {
  expect(waitsFor(password("analytics", "reports"), password("trader", "orchestrator"))).toBe(false);
  expect(waitsFor(password("analytics", "reports", "api"), password("trader", "api"))).toBe(true);
});

test("passwords of one database wait for each other: their roles' grants are in the same catalog rows", () => {
  const reader = { ...password("trader", "reports"), name: "reader/password", role: "reader" };
  expect(waitsFor(reader, password("trader", "orchestrator"))).toBe(true);
});

test("an API key comes after the databases, and what is behind it waits for it", () => {
  expect(waitsFor(key, password("trader", "orchestrator"))).toBe(true);
  expect(waitsFor(password("trader", "orchestrator"), key)).toBe(true);
});
