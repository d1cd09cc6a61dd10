import { describe, expect, it } from "vitest";
import { A, adopted, B, rotated, valuesOf } from "./alpaca-updates";
import { inputOf, order } from "./strict-mocks";

describe("AlpacaKey", () => {
  it("adopts the pair in use: proves it, compares it with the store, and writes the audit row alone", async () => {
    expect(order(adopted.all).filter((name) => !name.endsWith("-history"))).toEqual([
      "alpaca-api_key-preflight-checks",
      "alpaca-api_key-versions-before",
      "alpaca-api_key-verify-alpaca",
      "alpaca-api_key-audit-row",
    ]);
    expect(adopted.all.some(({ type }) => type.startsWith("vault:"))).toBe(false);
    const preflight = inputOf(adopted.all, "alpaca-api_key-preflight-checks");
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
      "alpaca-api_key-store-write",
      "alpaca-api_key-restart-execution-gateway-app-1",
      "alpaca-api_key-restart-orchestrator",
      "alpaca-api_key-dry-run",
      "alpaca-api_key-store-mark",
      "alpaca-api_key-audit-row",
    ]);
  });

  it("proves the new pair against the one in use, which the preflight compares with the store", () => {
    expect(inputOf(rotated.all, "alpaca-api_key-verify-alpaca")).toMatchObject({
      purpose: "rotation",
      pair: B,
      before: A,
      activationWait: 30_000,
      places: { environment: "paper", otherUrl: "https://api.alpaca.markets" },
    });
    const preflight = inputOf(rotated.all, "alpaca-api_key-preflight-checks");
    expect(preflight).toMatchObject({ mode: "rotation", paths: ["alpaca/api_key_id", "alpaca/api_secret_key"] });
    // The new pair may stand there as well: somebody who wrote it by hand supplies it to have it taken over.
    expect(valuesOf(preflight.current.entries)).toEqual([A.keyId, A.secretKey, B.keyId, B.secretKey]);
    expect(preflight).not.toHaveProperty("database");
  });

  it("asks with the write whether there was an external write, and knows both pairs", () => {
    const unchanged = inputOf(rotated.all, "alpaca-api_key-store-write");
    expect(unchanged.known.map(({ path }: { path: string }) => path)).toEqual([
      ...["alpaca/api_key_id", "alpaca/api_secret_key", "alpaca/api_key_id", "alpaca/api_secret_key"],
    ]);
    expect(valuesOf(unchanged.known)).toEqual([A.keyId, A.secretKey, B.keyId, B.secretKey]);
    expect(unchanged.force).toBe(false);
    expect(unchanged.whenForeign).toContain("supply it under a new label with `rotation alpaca add-key`");
    expect(unchanged.whenForeign).toContain('"secret":"alpaca/api_key","rotate":true,"force":true');
  });

  it("writes both halves with the generation that makes them a pair", () => {
    expect(inputOf(rotated.all, "alpaca-api_key-store-write")).toMatchObject({
      entries: [
        { path: "alpaca/api_key_id", value: B.keyId },
        { path: "alpaca/api_secret_key", value: B.secretKey },
      ],
      pair: { generation: 1, slot: 1 },
    });
  });

  it("marks the pair before as deprecated, beside the marks of others", () => {
    const says = {
      rotation_date: "2026-12-01T02:00:00.000Z",
      status: "deprecated",
      deprecated_label: A.label,
      grace_until: "2026-12-02T02:00:00.000Z",
    };
    expect(inputOf(rotated.all, "alpaca-api_key-store-mark")).toMatchObject({
      marks: ["alpaca/api_key_id", "alpaca/api_secret_key"].map((path) => ({ path, says })),
    });
  });

  it("has no part of a pair outside stdin, beyond the last four characters of an id", () => {
    for (const { inputs } of rotated.all.filter(({ type }) => type.startsWith("command:"))) {
      expect(inputs).not.toHaveProperty("delete");
      const { stdin: _, ...rest } = inputs;
      for (const { keyId, secretKey } of [A, B]) {
        expect(JSON.stringify(rest)).not.toContain(keyId.slice(0, -4));
        expect(JSON.stringify(rest)).not.toContain(secretKey);
      }
    }
    const row = JSON.stringify(inputOf(rotated.all, "alpaca-api_key-audit-row"));
    expect(row).toContain(B.keyId.slice(-4));
    expect(row).not.toContain(B.keyId);
  });

  it("has the activation in the environment of all that acts", () => {
    const ONCE = ["preflight-checks", "versions-before", "dry-run"].map((part) => `alpaca-api_key-${part}`);
    const activationOf = (name: string) => (name === "alpaca-api_key-audit-row" ? "2-ROTATE-1" : "1");
    for (const { name, inputs } of rotated.all.filter(({ type }) => type.startsWith("command:"))) {
      // What marks the store has no activation: another input runs it.
      if (name === "alpaca-api_key-store-mark") {
        expect(inputs, name).toMatchObject({ addPreviousOutputInEnv: false });
        expect([inputs.triggers, inputs.environment], name).toEqual([undefined, undefined]);
      } else {
        const once = ONCE.includes(name) || name.includes("-restart-") ? { ROTATION_ONCE: "1" } : {};
        expect(inputs.environment, name).toEqual({ ROTATION_ACTIVATION: activationOf(name), ...once });
        expect(inputs, name).toMatchObject({ addPreviousOutputInEnv: true });
        expect([inputs.triggers, inputs.update], name).toEqual([undefined, undefined]);
      }
    }
  });
});
