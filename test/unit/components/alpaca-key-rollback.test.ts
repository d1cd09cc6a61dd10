import { describe, expect, it } from "vitest";
import { A, alive, B, known, rotated, settings, update, valuesOf } from "./alpaca-updates";
import { inputOf, namedIn } from "./strict-mocks";

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
    const written = inputOf(back.all, "alpaca-api_key-store-write");
    expect(valuesOf(written.known)).toEqual([B.keyId, B.secretKey, A.keyId, A.secretKey]);
    expect(written.whenForeign).toContain('"activate":0,"force":true');
    expect(written).toMatchObject({
      entries: [
        { path: "alpaca/api_key_id", value: A.keyId },
        { path: "alpaca/api_secret_key", value: A.secretKey },
      ],
      pair: { generation: 0, slot: 0 },
      force: false,
    });
    // So that it is written also where a killed update wrote after what the state knows.
    expect(namedIn(back.all, "alpaca-api_key-store-write")?.environment).toEqual({
      ROTATION_ACTIVATION: "0 by request back",
    });
  });
});

describe("AlpacaKey told to overwrite an external write", () => {
  const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "orders fail", force: true };
  const config = settings({ current: B, previous: A }, { request });

  it("asks what that is and overwrites it, in the one update that handles the request", async () => {
    const back = await update({ config, days: 8.5, before: known(rotated.state), seen: alive });
    expect(inputOf(back.all, "alpaca-api_key-preflight-checks").force).toBe(true);
    expect(inputOf(back.all, "alpaca-api_key-store-write").force).toBe(true);
    const later = await update({ config, days: 8.6, before: known(back.state), seen: alive });
    expect(inputOf(later.all, "alpaca-api_key-store-write").force).toBe(false);
  });
});
