import * as pulumi from "@pulumi/pulumi";
import type { PreviousSecret } from "../../../components/previous-secrets";
import { type AlpacaKeyConfig, type Config, type KeyPair, parseConfig } from "../../../config";
import type { SecretState } from "../../../core/state";
import { decideSecret } from "../../../kinds";
import { declareAlpacaKey } from "../../../kinds/alpaca-key/declare";
import type { PreviousSeen } from "../../../kinds/issuer/previous-key";
import { platformOf } from "./platform";
import { type Declared, declare } from "./strict-mocks";

const pair = (label: string, letter: string): KeyPair => ({
  label,
  keyId: `PK${letter.repeat(14)}_${letter}1${letter}`,
  secretKey: `secret-of-${letter.repeat(20)}`,
});
export const [A, B, C] = [pair("paper-2026-11-20", "A"), pair("paper-2026-12-01", "B"), pair("paper-2027-02-25", "C")];
const at = (days: number) => new Date(Date.parse("2026-11-23T02:00:00Z") + days * 86_400_000);

/** The stack's config with these pairs. */
export const settings = (keys: { current: KeyPair; previous?: KeyPair }, more: Record<string, unknown> = {}) => {
  const raw: Record<string, unknown> = {
    environment: "paper",
    store: { kind: "vault" },
    alpaca: { baseUrl: "https://paper-api.alpaca.markets" },
    hosts: { "app-1": { address: "10.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA" } },
    services: {
      "execution-gateway": { hosts: ["app-1"], health: "http://localhost:8002/health" },
      orchestrator: { health: "http://localhost:8001/health" },
    },
    secrets: [
      {
        kind: "alpaca-key",
        restart: ["execution-gateway", "orchestrator"],
        dryRun: { command: "python -m apps.orchestrator.main --dry-run", service: "orchestrator" },
      },
    ],
    audit: { host: "db", name: "trader" },
    sshPrivateKey: "key",
    alpacaKeys: { "alpaca/api_key": keys },
    ...more,
  };
  const text = Object.entries(raw).map(([key, value]) => [
    `secret-rotation:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseConfig(Object.fromEntries(text), "paper");
};

export interface Update {
  readonly config: Config;
  /** After the platform's first day. */
  readonly days: number;
  readonly before?: PreviousSecret;
  readonly seen?: PreviousSeen;
}

/** What one update declares, and the state it leads to. */
export async function update({ config, days, before, seen }: Update): Promise<{ all: Declared[]; state: SecretState }> {
  let state: SecretState | undefined;
  const all = await declare(() => {
    const { secrets, services, hosts } = config;
    const platform = platformOf({
      ...{ secrets, services, hosts, privateKey: pulumi.secret("key"), allowOpenMarket: false },
      marketClock: { baseUrl: "https://paper-api.alpaca.markets", keyIdPath: "a", secretKeyPath: "b" },
    });
    const secret = config.secrets[0] as AlpacaKeyConfig;
    const now = at(days);
    const known = { finished: before?.state, recorded: undefined };
    const stack = { config, platform, now, before, recorded: undefined, isKnown: () => before !== undefined };
    const create = declareAlpacaKey(secret, stack, { previousKey: seen });
    const decision = decideSecret(config, secret, known, now, { previousKey: seen });
    const made = create(decision, { rolledOut: undefined, finished: undefined }).create("alpaca-api_key", {});
    return made.state.apply((reached) => {
      state = reached;
    });
  });
  return { all, state: state as unknown as SecretState };
}

export const valuesOf = (entries: { value: string }[]) => entries.map(({ value }) => value);

/** The first update, with the pair in use alone. */
export const adopted = await update({ config: settings({ current: A }), days: 0 });

/** The update after that, with a new pair. */
export const rotated = await update({
  config: settings({ current: B, previous: A }),
  days: 8,
  before: { state: adopted.state, key: { label: A.label, keyId: "…_A1A" } },
});

/** The config after that, with both pairs. */
export const both = settings({ current: B, previous: A });

/** What an update before left. */
export const known = (state: SecretState): PreviousSecret => ({ state });

/** What Alpaca says of the pair before. */
export const alive: PreviousSeen = { previous: "alive" };
export const gone: PreviousSeen = { previous: "gone" };
