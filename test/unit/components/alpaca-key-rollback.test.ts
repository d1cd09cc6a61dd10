import { describe, expect, it } from "vitest";
import { A, alive, B, known, rotated, settings, update, valuesOf } from "./alpaca-updates";
import { inputOf } from "./strict-mocks";

describe("AlpacaKey rolled back", () => {
  it("rolls back to the old pair, which is proven first", async () => {
    const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "orders fail" };
    const config = settings({ current: B, previous: A }, { request });
    const back = await update({ config, days: 8.5, before: known(rotated.state), seen: alive });
    expect(inputOf(back.all, "alpaca-api_key-verify-alpaca")).toMatchObject({
      purpose: "rollback",
      pair: A,
      before: B,
    });
    expect(inputOf(back.all, "alpaca-api_key-preflight-checks")).toMatchObject({ mode: "rollback", force: false });
    const unchanged = inputOf(back.all, "alpaca-api_key-store-unchanged");
    expect(valuesOf(unchanged.known)).toEqual([B.keyId, B.secretKey, A.keyId, A.secretKey]);
    expect(unchanged.whenForeign).toContain('"activate":0,"force":true');
    expect(inputOf(back.all, "alpaca-api_key-alpaca-api_key_id")).toMatchObject({
      entry: { path: "alpaca/api_key_id", value: A.keyId },
      pair: { generation: 0, slot: 0 },
      known: [{ value: B.keyId }, { value: A.keyId }],
      force: false,
      // So that it is written also where a killed update wrote after what the state knows.
      activation: "0 by request back",
    });
  });
});

describe("AlpacaKey told to overwrite an external write", () => {
  const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "orders fail", force: true };
  const config = settings({ current: B, previous: A }, { request });

  it("asks what that is and overwrites it, in the one update that handles the request", async () => {
    const back = await update({ config, days: 8.5, before: known(rotated.state), seen: alive });
    expect(inputOf(back.all, "alpaca-api_key-preflight-checks").force).toBe(true);
    for (const name of ["store-unchanged", "alpaca-api_key_id", "alpaca-api_secret_key"])
      expect(inputOf(back.all, `alpaca-api_key-${name}`).force).toBe(true);
    const later = await update({ config, days: 8.6, before: known(back.state), seen: alive });
    expect(inputOf(later.all, "alpaca-api_key-store-unchanged").force).toBe(false);
  });
});
