import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import type { PostgresPasswordConfig } from "../../../config";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { activation } from "../../../core/state";
import { PostgresPassword } from "../../../kinds/postgres-password/component";
import { platformOf, service } from "./platform";
import { declare, inputOf, namedIn, order, plain } from "./strict-mocks";

const first = nextState(undefined, { now: new Date("2026-11-23T02:00:00Z"), policy, hasAdopted: true });
const second = nextState(first, { now: new Date("2027-02-20T02:00:00Z"), policy, hasAdopted: true });
const hook = (command: string, host?: string) => ({
  ...{ command, timeout: 60_000 as never },
  ...(host === undefined ? {} : { host }),
});

const resources = (more: Partial<PostgresPasswordConfig>, finished?: string) =>
  declare(() => {
    const config: PostgresPasswordConfig = {
      ...{ kind: "postgres-password", name: "database/password", strategy: "alternating-users", role: "trader" },
      ...{ database: { host: "db", port: 5432, name: "trader", sslmode: "require" }, restart: ["api"] },
      ...more,
    };
    const platform = platformOf({
      secrets: [config],
      services: { api: service() },
      hosts: { "app-1": { address: "10.0.0.1", port: 22, user: "deploy", hostKey: "ssh-ed25519 AAAA" } },
      privateKey: pulumi.secret("a private key"),
    });
    const given = { config, state: second, acts: true, force: false, policy, platform, left: [] };
    return new PostgresPassword("database-password", { ...given, adopted: pulumi.secret("old"), finished }).state;
  });

it("runs between the preflight and the first change, and between the last change and the audit row", async () => {
  const all = await resources({ before: hook("pause trading"), after: hook("flush cache", "app-1") });
  const names = [
    "database-password-preflight-checks",
    "database-password-before-hook",
    "database-password-store-unchanged",
    "database-password-restart-api",
    "database-password-confirm-login",
    "database-password-database-password-metadata",
    "database-password-after-hook",
    "database-password-audit-row",
  ];
  expect(order(all).filter((name) => names.includes(name))).toEqual(names);
  expect(namedIn(all, "database-password-before-hook")).toMatchObject({
    ...{ create: "node dist/steps/run-hook.mjs 'pause trading'", update: "true", triggers: ["2"] },
    interpreter: ["/usr/bin/env", "ROLLED_OUT=", "/bin/sh", "-c"],
  });
  expect(inputOf(all, "database-password-before-hook")).toMatchObject({
    ...{ hook: "before", command: "pause trading", timeout: 60_000, secretName: "database/password", generation: 2 },
    redacted: [{ value: "password of database-password-slot-b-password" }],
  });
  const after = inputOf(all, "database-password-after-hook");
  expect(after).toMatchObject({ host: { name: "app-1", address: "10.0.0.1" }, privateKey: "a private key" });
  expect(after.redacted).toEqual([{ value: "password of database-password-slot-a-password" }]);
  expect(inputOf(all, "database-password-before-hook")).not.toHaveProperty("privateKey");
  expect(inputOf(all, "database-password-audit-row").entry.outputs).toHaveProperty("hooks");
  for (const name of names) {
    const { stdin: _, ...shown } = namedIn(all, name) ?? {};
    expect(JSON.stringify(plain(shown))).not.toContain("password of");
  }
});

it("that is new in the config does not run for what is rolled out", async () => {
  const marked = async (finished?: string) => {
    const all = await resources({ after: hook("x") }, finished);
    return (namedIn(all, "database-password-after-hook")?.interpreter as string[] | undefined)?.[1];
  };
  expect(await marked(activation(second))).toBe("ROLLED_OUT=2");
  expect(await marked(activation(first))).toBe("ROLLED_OUT=");
  expect(await marked()).toBe("ROLLED_OUT=");
});

it("is absent, in the resources and in the audit row, if the config has none", async () => {
  const all = await resources({});
  expect(order(all).filter((name) => name.endsWith("-hook"))).toEqual([]);
  const { outputs } = inputOf(all, "database-password-audit-row").entry;
  for (const key of ["hooks", "restarts"]) expect(outputs).not.toHaveProperty(key);
});
