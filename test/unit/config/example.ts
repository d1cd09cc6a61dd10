import { parseConfig } from "../../../config";

/** A config that is right, with two secrets in it that no message may show. */
export const PASSWORD = "hunter2-in-use-since-2019";
export const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n";

const RIGHT = {
  environment: "paper",
  store: { kind: "vault" },
  alpaca: { baseUrl: "https://paper-api.alpaca.markets" },
  hosts: { "trading-1": { address: "10.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA" } },
  services: {
    "signal-service": { hosts: ["trading-1"], health: "http://{address}:8000/health" },
    orchestrator: { hosts: [] as string[], health: "http://{address}:8001/health" },
  },
  secrets: [
    {
      kind: "postgres-password",
      name: "database/password",
      database: { host: "db.internal", name: "trader" },
      restart: ["signal-service", "orchestrator"],
    },
  ],
  adopted: { "database/password": PASSWORD },
  sshPrivateKey: PRIVATE_KEY,
};

/** The secret of the right config, with other keys. */
export const rightSecret = (changes: Readonly<Record<string, unknown>> = {}) => ({
  ...structuredClone(RIGHT.secrets[0]),
  ...changes,
});

export type Key = string | number;

/** The right config with other values at some paths; `undefined` removes a key. */
export function configWith(...changes: (readonly [path: readonly Key[], value: unknown])[]): Record<string, unknown> {
  const config: Record<string, unknown> = structuredClone(RIGHT);
  for (const [path, value] of changes) {
    let parent = config as Record<Key, unknown>;
    for (const key of path.slice(0, -1)) {
      parent[key] ??= {};
      parent = parent[key] as Record<Key, unknown>;
    }
    const last = path.at(-1) as Key;
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  }
  return config;
}

/** The text of each key, as the engine hands it over. */
export const asPulumi = (config: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      `secret-rotation:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );

export const parse = (config: Readonly<Record<string, unknown>>) => parseConfig(asPulumi(config), "paper");

/** The lines on wrong keys, without the heading and the advice below. @throws Error where the config is accepted. */
export function problemsOf(config: Readonly<Record<string, unknown>>): string[] {
  try {
    parse(config);
  } catch (error) {
    return (error as Error).message
      .split("\n")
      .filter((line) => line.startsWith("  secret-rotation:"))
      .map((line) => line.replace("  secret-rotation:", ""));
  }
  throw new Error("the config was accepted");
}
