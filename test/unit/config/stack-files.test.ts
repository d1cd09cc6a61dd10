import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../../config";

/** What Pulumi hands to the program for a stack file, once its secrets are set. */
function settings(stack: string): Record<string, string> {
  const { config } = parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")) as { config: Record<string, unknown> };
  const texts = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const pair = { label: `${stack}-trading-2026-11-23`, keyId: "key-id-of-a-test", secretKey: "secret-key-of-a-test" };
  return {
    ...Object.fromEntries(texts),
    "secret-rotation:sshPrivateKey": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "secret-rotation:alpacaKeys": JSON.stringify({ "alpaca/api_key": { current: pair } }),
  };
}

describe.each([
  ["paper", "https://paper-api.alpaca.markets"],
  ["prod", "https://api.alpaca.markets"],
])("Pulumi.%s.yaml", (stack, alpaca) => {
  it("is a complete config for its own environment", () => {
    expect(parseConfig(settings(stack), stack)).toMatchObject({ environment: stack, alpaca: { baseUrl: alpaca } });
  });

  it("waits for closed markets and is no lab", () => {
    const config = parseConfig(settings(stack), stack);
    expect(config.preflight.allowOpenMarket).toBe(false);
    expect(config.lab).toBeUndefined();
  });

  it("restarts only services that it describes, each on a host with a key", () => {
    const { hosts, services, secrets } = parseConfig(settings(stack), stack);
    for (const service of secrets.flatMap(({ restart }) => restart)) {
      for (const host of services[service]?.hosts ?? []) expect(hosts[host]?.hostKey).toMatch(/^ssh-ed25519 AAAA/);
    }
  });

  it("describes the runbook's four services, both its secrets in its order, and who is notified", () => {
    const { services, secrets, notify, validation } = parseConfig(settings(stack), stack);
    expect(Object.entries(services).map(([name, { health }]) => `${name} ${new URL(health).port}`)).toEqual([
      "signal-service 8000",
      "orchestrator 8001",
      "execution-gateway 8002",
      "market-data-service 8003",
    ]);
    expect(secrets.map(({ name, restart }) => [name, restart])).toEqual([
      ["database/password", ["signal-service", "orchestrator"]],
      ["alpaca/api_key", ["execution-gateway", "market-data-service", "orchestrator"]],
    ]);
    expect(notify?.email?.to).toHaveLength(1);
    expect(validation).toMatchObject({ logs: expect.stringContaining("{since}"), paperRun: expect.anything() });
  });

  it("uses the pipeline's own login, not a superuser", () => {
    const { secrets } = parseConfig(settings(stack), stack);
    for (const secret of secrets) if ("database" in secret) expect(secret.database.admin).toBe("rotation");
  });

  it("holds no secret in plain text", () => {
    expect(readFileSync(`Pulumi.${stack}.yaml`, "utf8")).not.toMatch(/BEGIN|password: |secretKey|token: /);
  });
});
