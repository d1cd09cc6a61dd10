import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../config";

/** What Pulumi hands to the program for a stack file, once its one secret is set. */
function settings(stack: string): Record<string, string> {
  const { config } = parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")) as { config: Record<string, unknown> };
  const texts = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { ...Object.fromEntries(texts), "secret-rotation:sshPrivateKey": "-----BEGIN OPENSSH PRIVATE KEY-----" };
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

  it("holds no secret in plain text", () => {
    expect(readFileSync(`Pulumi.${stack}.yaml`, "utf8")).not.toMatch(/BEGIN|password: |secretKey|token: /);
  });
});
