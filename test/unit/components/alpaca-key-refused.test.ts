import { describe, expect, it } from "vitest";
import { A, B, C, gone, known, rotated, settings, type Update, update } from "./alpaca-updates";

describe("AlpacaKey, refused before anything is declared", () => {
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
