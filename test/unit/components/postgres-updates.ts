import * as pulumi from "@pulumi/pulumi";
import type { PostgresPasswordConfig } from "../../../config";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { PostgresPassword } from "../../../kinds/postgres-password/component";
import { platformOf, service } from "./platform";
import { type Declared, declare } from "./strict-mocks";

const host = (address: string) => ({ address, port: 22, user: "deploy", hostKey: `ssh-ed25519 ${address}` });
const config = (strategy: PostgresPasswordConfig["strategy"]): PostgresPasswordConfig => ({
  kind: "postgres-password",
  name: "database/password",
  strategy,
  database: { host: "db", port: 5432, name: "trader", sslmode: "require" },
  role: "trader",
  restart: ["signal-service", "orchestrator"],
});

/** When the platform is adopted, and when its first rotation is due. */
export const now = new Date("2026-11-23T02:00:00Z");
export const later = new Date("2027-02-20T02:00:00Z");
export const first = nextState(undefined, { now, policy, hasAdopted: true });
export const second = nextState(first, { now: later, policy, hasAdopted: true });

/** What an update to `state` declares. */
export function resources(
  strategy: PostgresPasswordConfig["strategy"],
  state: SecretState,
  adopted: string | null = "old",
  left: readonly string[] = [],
  acts = true,
): Promise<Declared[]> {
  return declare(() => {
    const platform = platformOf({
      services: { "signal-service": service(["app-1", "app-2"]), orchestrator: service() },
      hosts: { "app-1": host("10.0.0.1"), "app-2": host("10.0.0.2"), unused: host("10.0.0.9") },
      privateKey: pulumi.secret("key"),
      marketClock: { baseUrl: "https://paper-api.alpaca.markets", keyIdPath: "a", secretKeyPath: "b" },
      allowOpenMarket: false,
    });
    const given = {
      config: config(strategy),
      state,
      acts,
      force: false,
      policy,
      platform,
      adopted: adopted === null ? undefined : pulumi.secret(adopted),
      left,
    };
    return new PostgresPassword("database-password", given).state;
  });
}

export const ofType = (all: Declared[], type: string) => all.filter((resource) => resource.type === type);
