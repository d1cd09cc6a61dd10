import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { PreviousSeen } from "../../alpaca/grace";
import { createAlpacaSecret } from "../../components/alpaca-secret";
import type { Platform } from "../../components/platform";
import type { PreviousSecret } from "../../components/stack-secrets";
import { VaultStore } from "../../components/stores/vault";
import { type AlpacaKeyConfig, type Config, type KeyPair, parseConfig } from "../../config";
import type { SecretState } from "../../rotation/state";
import { type Declared, declare } from "./strict-mocks";

const pair = (label: string, letter: string): KeyPair => ({
  label,
  keyId: `PK${letter.repeat(14)}_${letter}1${letter}`,
  secretKey: `secret-of-${letter.repeat(20)}`,
});
const [A, B, C] = [pair("paper-2026-11-20", "A"), pair("paper-2026-12-01", "B"), pair("paper-2027-02-25", "C")];
const at = (days: number) => new Date(Date.parse("2026-11-23T02:00:00Z") + days * 86_400_000);

const settings = (keys: { current: KeyPair; previous?: KeyPair }, more: Record<string, unknown> = {}) => {
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

interface Update {
  readonly config: Config;
  readonly days: number;
  readonly before?: PreviousSecret;
  readonly seen?: PreviousSeen;
}

/** What one update declares, and the state it leads to. */
async function update({ config, days, before, seen }: Update): Promise<{ all: Declared[]; state: SecretState }> {
  let state: SecretState | undefined;
  const all = await declare(() => {
    const { services, hosts } = config;
    const platform: Platform = {
      store: new VaultStore({ kind: "vault", mount: "secret" }, "paper"),
      ...{
        services,
        hosts,
        privateKey: pulumi.secret("key"),
        allowOpenMarket: false,
        notice: undefined,
        clock: undefined,
      },
      marketClock: { baseUrl: "https://paper-api.alpaca.markets", keyIdPath: "a", secretKeyPath: "b" },
      audit: { connection: { host: "db" }, stack: "paper", environment: "paper" },
    };
    const secret = config.secrets[0] as AlpacaKeyConfig;
    const made = createAlpacaSecret({ config, secret, before, platform, now: at(days), seen, dependsOn: [] });
    return made.state.apply((reached) => {
      state = reached;
    });
  });
  return { all, state: state as unknown as SecretState };
}

const named = (all: Declared[], name: string) => all.find((resource) => resource.name === name)?.inputs;
const order = (all: Declared[]) =>
  all.filter(({ type }) => !type.startsWith("secret-rotation") && !type.startsWith("pulumi:")).map(({ name }) => name);
/** Pulumi hands a secret input over wrapped. */
const plain = (value: unknown) =>
  typeof value === "object" && value !== null && "value" in value ? value.value : value;
const input = (all: Declared[], name: string) => JSON.parse(String(plain(named(all, name)?.stdin)));
const valuesOf = (entries: { value: string }[]) => entries.map(({ value }) => value);
const moved = (before: Declared[], after: Declared[]) =>
  after
    .filter(({ name, inputs }) => JSON.stringify(inputs) !== JSON.stringify(named(before, name)))
    .map(({ name }) => name);

const adopted = await update({ config: settings({ current: A }), days: 0 });
const rotated = await update({
  config: settings({ current: B, previous: A }),
  days: 8,
  before: { state: adopted.state, key: { label: A.label, keyId: "…_A1A" } },
});

describe("AlpacaKey", () => {
  it("adopts the pair in use: proves it, compares it with the store, and writes the audit row alone", async () => {
    expect(order(adopted.all).filter((name) => !name.endsWith("-history"))).toEqual([
      "alpaca-api_key-preflight-checks",
      "alpaca-api_key-versions-before",
      "alpaca-api_key-verify-alpaca",
      "alpaca-api_key-audit-row",
    ]);
    expect(adopted.all.some(({ type }) => type.startsWith("vault:"))).toBe(false);
    const preflight = input(adopted.all, "alpaca-api_key-preflight-checks");
    expect(preflight).toMatchObject({
      mode: "adoption",
      current: { entries: [{ value: A.keyId }, { value: A.secretKey }] },
    });
    expect(preflight.whenForeign).toContain("give the one in use as well");
  });

  it("declares exactly this for a rotation, in the order in which it happens", () => {
    expect(order(rotated.all).filter((name) => !name.endsWith("-history"))).toEqual([
      "alpaca-api_key-preflight-checks",
      "alpaca-api_key-versions-before",
      "alpaca-api_key-verify-alpaca",
      "alpaca-api_key-store-unchanged",
      "alpaca-api_key-alpaca-api_key_id",
      "alpaca-api_key-alpaca-api_secret_key",
      "alpaca-api_key-read-back",
      "alpaca-api_key-restart-execution-gateway-app-1",
      "alpaca-api_key-restart-orchestrator",
      "alpaca-api_key-dry-run",
      "alpaca-api_key-alpaca-api_key_id-metadata",
      "alpaca-api_key-alpaca-api_secret_key-metadata",
      "alpaca-api_key-audit-row",
    ]);
  });

  it("proves the new pair against the one in use, which the preflight compares with the store", () => {
    expect(input(rotated.all, "alpaca-api_key-verify-alpaca")).toMatchObject({
      purpose: "rotation",
      pair: B,
      before: A,
      activationWait: 30_000,
      places: { environment: "paper", otherUrl: "https://api.alpaca.markets" },
    });
    const preflight = input(rotated.all, "alpaca-api_key-preflight-checks");
    expect(preflight).toMatchObject({ mode: "rotation", paths: ["alpaca/api_key_id", "alpaca/api_secret_key"] });
    // The new pair may stand there as well: somebody who wrote it by hand supplies it to have it taken over.
    expect(valuesOf(preflight.current.entries)).toEqual([A.keyId, A.secretKey, B.keyId, B.secretKey]);
    expect(preflight).not.toHaveProperty("database");
  });

  it("asks right before the write whether somebody else wrote, and knows both pairs", () => {
    const unchanged = input(rotated.all, "alpaca-api_key-store-unchanged");
    expect(unchanged.known.map(({ path }: { path: string }) => path)).toEqual([
      ...["alpaca/api_key_id", "alpaca/api_secret_key", "alpaca/api_key_id", "alpaca/api_secret_key"],
    ]);
    expect(valuesOf(unchanged.known)).toEqual([A.keyId, A.secretKey, B.keyId, B.secretKey]);
    expect(unchanged.force).toBe(false);
    expect(unchanged.whenForeign).toContain("supply it under a new label with `rotation alpaca add-key`");
    expect(unchanged.whenForeign).toContain('"secret":"alpaca/api_key","rotate":true,"force":true');
  });

  it("writes both halves with the generation that makes them a pair", () => {
    const data = (name: string) => JSON.parse(String(plain(named(rotated.all, name)?.dataJson)));
    expect(data("alpaca-api_key-alpaca-api_key_id")).toEqual({ value: B.keyId, generation: "1" });
    expect(data("alpaca-api_key-alpaca-api_secret_key")).toEqual({ value: B.secretKey, generation: "1" });
  });

  it("marks the pair before as deprecated in metadata that writes no version, is never read and never deleted", () => {
    expect(named(rotated.all, "alpaca-api_key-alpaca-api_key_id-metadata")).toMatchObject({
      path: "secret/metadata/paper/alpaca/api_key_id",
      ignoreAbsentFields: true,
      disableDelete: true,
      disableRead: true,
    });
    const { dataJson } = named(rotated.all, "alpaca-api_key-alpaca-api_key_id-metadata") ?? {};
    expect(JSON.parse(String(plain(dataJson)))).toEqual({
      custom_metadata: {
        rotation_date: "2026-12-01T02:00:00.000Z",
        status: "deprecated",
        deprecated_label: A.label,
        grace_until: "2026-12-02T02:00:00.000Z",
      },
    });
  });

  it("has no part of a pair outside stdin, beyond the last four characters of an id", () => {
    for (const { inputs } of rotated.all.filter(({ type }) => type.startsWith("command:"))) {
      expect(inputs).not.toHaveProperty("environment");
      expect(inputs).not.toHaveProperty("delete");
      expect(inputs.addPreviousOutputInEnv).toBe(false);
      const { stdin: _, ...rest } = inputs;
      for (const { keyId, secretKey } of [A, B]) {
        expect(JSON.stringify(rest)).not.toContain(keyId.slice(0, -4));
        expect(JSON.stringify(rest)).not.toContain(secretKey);
      }
    }
    const row = JSON.stringify(input(rotated.all, "alpaca-api_key-audit-row"));
    expect(row).toContain(B.keyId.slice(-4));
    expect(row).not.toContain(B.keyId);
  });

  it("has the activation as the only trigger of all that acts, and the step as the audit row's", () => {
    for (const { name, inputs } of rotated.all.filter(({ type }) => type.startsWith("command:")))
      expect(inputs.triggers).toEqual([name === "alpaca-api_key-audit-row" ? "2-ROTATE-1" : "1"]);
  });
});

const known = (state: SecretState): PreviousSecret => ({ state });
const alive: PreviousSeen = { previous: "alive" };
const gone: PreviousSeen = { previous: "gone" };
const both = settings({ current: B, previous: A });

describe("AlpacaKey after a rotation", () => {
  it("moves nothing while the old key lives, however late it is", async () => {
    for (const days of [8.5, 40]) {
      const later = await update({ config: both, days, before: known(rotated.state), seen: alive });
      expect(moved(rotated.all, later.all)).toEqual([]);
      expect(later.state).toEqual(rotated.state);
    }
  });

  it("moves the marks and the audit row alone when the old key's end is seen after the grace period", async () => {
    const ended = await update({ config: both, days: 9, before: known(rotated.state), seen: gone });
    expect(moved(rotated.all, ended.all)).toEqual([
      "alpaca-api_key-alpaca-api_key_id-metadata",
      "alpaca-api_key-alpaca-api_secret_key-metadata",
      "alpaca-api_key-audit-row",
    ]);
    const { dataJson } = named(ended.all, "alpaca-api_key-alpaca-api_key_id-metadata") ?? {};
    expect(JSON.parse(String(plain(dataJson))).custom_metadata.status).toBe("active");
    expect(input(ended.all, "alpaca-api_key-audit-row").entry).toMatchObject({ action: "REVOKE", generation: 0 });

    // The operator forgets the old pair: nothing that acts has another trigger, and its values are gone.
    const forgotten = await update({ config: settings({ current: B }), days: 10, before: known(ended.state) });
    for (const { name, inputs } of forgotten.all) expect(inputs.triggers).toEqual(named(ended.all, name)?.triggers);
    expect(JSON.stringify(forgotten.all)).not.toContain(A.secretKey);
    expect(moved(ended.all, forgotten.all).filter((name) => /restart|api_key_id|read-back|row/.test(name))).toEqual([]);
  });

  it("restarts every reader at once, whatever the market, when the old key ended too early", async () => {
    const early = await update({ config: both, days: 8.5, before: known(rotated.state), seen: gone });
    const restarts = early.all.filter(({ name }) => name.includes("-restart-")).map(({ inputs }) => inputs.triggers);
    expect(restarts).toEqual([["1, 0 deleted early"], ["1, 0 deleted early"]]);
    expect(input(early.all, "alpaca-api_key-preflight-checks")).toMatchObject({ mode: "repair" });
    expect(input(early.all, "alpaca-api_key-verify-alpaca")).toMatchObject({ purpose: "repair", pair: B });
  });

  it("rolls back to the old pair, which is proven first", async () => {
    const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "orders fail" };
    const config = settings({ current: B, previous: A }, { request });
    const back = await update({ config, days: 8.5, before: known(rotated.state), seen: alive });
    expect(input(back.all, "alpaca-api_key-verify-alpaca")).toMatchObject({ purpose: "rollback", pair: A, before: B });
    expect(input(back.all, "alpaca-api_key-preflight-checks")).toMatchObject({ mode: "rollback", force: false });
    const unchanged = input(back.all, "alpaca-api_key-store-unchanged");
    expect(valuesOf(unchanged.known)).toEqual([B.keyId, B.secretKey, A.keyId, A.secretKey]);
    expect(unchanged.whenForeign).toContain('"activate":0,"force":true');
    expect(JSON.parse(String(plain(named(back.all, "alpaca-api_key-alpaca-api_key_id")?.dataJson)))).toEqual({
      value: A.keyId,
      generation: "0",
      // So that it is written also where a killed update wrote after what the state knows.
      request: "back",
    });
  });
});

describe("AlpacaKey told to overwrite what somebody else wrote", () => {
  const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "orders fail", force: true };
  const config = settings({ current: B, previous: A }, { request });

  it("asks what that is and overwrites it, in the one update that handles the request", async () => {
    const back = await update({ config, days: 8.5, before: known(rotated.state), seen: alive });
    expect(input(back.all, "alpaca-api_key-preflight-checks").force).toBe(true);
    expect(input(back.all, "alpaca-api_key-store-unchanged").force).toBe(true);
    const later = await update({ config, days: 8.6, before: known(back.state), seen: alive });
    expect(input(later.all, "alpaca-api_key-store-unchanged").force).toBe(false);
  });
});

describe("refused before anything is declared", () => {
  const refused = (given: Update) => expect(update(given)).rejects;
  const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "orders fail" };

  it("a rollback to a key that is gone, with the steps that help", () =>
    refused({
      config: settings({ current: B, previous: A }, { request }),
      days: 8.5,
      before: known(rotated.state),
      seen: gone,
    }).toThrow(/rollback to paper-2026-11-20 \(key id …_A1A\) is refused.*Alpaca cannot restore one. What helps/s));

  it("a rollback to a pair that the config has no more", () =>
    refused({ config: settings({ current: B }, { request }), days: 8.5, before: known(rotated.state) }).toThrow(
      /expected the pair paper-2026-11-20 \(generation 0\) in alpacaKeys\["alpaca\/api_key"\], found paper-2026-12-01/,
    ));

  it("a new pair without the one in use, whose account it must have", () =>
    refused({ config: settings({ current: C }), days: 8.5, before: known(rotated.state) }).toThrow(
      /expected the pair paper-2026-12-01 \(generation 1\)/,
    ));

  it("a label that was used before", async () => {
    const third = await update({
      config: settings({ current: C, previous: B }),
      days: 90,
      before: known(rotated.state),
    });
    await refused({ config: settings({ current: A, previous: C }), days: 91, before: known(third.state) }).toThrow(
      /the key label paper-2026-11-20 was used before; expected one that is new/,
    );
  });

  it("another pair under a label that is in use", () =>
    refused({
      config: settings({ current: { ...C, label: B.label }, previous: A }),
      days: 9,
      before: { state: rotated.state, key: { label: B.label, keyId: `…${B.keyId.slice(-4)}` } },
    }).toThrow(/A new pair needs a new label/));

  it("a request to rotate without a new key", () =>
    refused({
      config: settings({ current: B, previous: A }, { request: { ...request, activate: undefined, rotate: true } }),
      days: 9,
      before: known(rotated.state),
    }).toThrow(/cannot rotate without a new key/));
});
