import { describe, expect, it } from "vitest";
import { pairFrom } from "../../../cli/ask-for-key";
import { UsageError } from "../../../cli/operate/errors";
import type { KeySettings } from "../../../cli/operate/settings";
import { withNewKey } from "../../../cli/operate/supplied-keys";
import type { AlpacaKeyConfig, KeyPair, KeyPairs } from "../../../config";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { alpacaPairs, keyOf, pairOf } from "../../../kinds/alpaca-key/supplied";

const pair = (label: string, letter: string): KeyPair => ({
  label,
  keyId: `PK${letter.repeat(18)}`,
  secretKey: `secret-of-${letter.repeat(20)}`,
});
const [A, B, C] = [pair("paper-2026-11-20", "A"), pair("paper-2026-12-01", "B"), pair("paper-2027-02-25", "C")];
const inputs = (label: string) => ({
  now: new Date("2026-12-01T02:00:00Z"),
  policy,
  hasAdopted: true,
  suppliedKeyLabel: label,
});
const onA = nextState(undefined, inputs(A.label));
const onB = nextState(onA, inputs(B.label));
const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "x" };
const backOnA = nextState(onB, { ...inputs(B.label), request });

const withNewPair = (of: ReturnType<typeof ring>, added: KeyPair) => {
  const { current, previous } = withNewKey(of, keyOf(added));
  return { current: pairOf(current), ...(previous === undefined ? {} : { previous: pairOf(previous) }) };
};
const ring = (keys: KeyPairs | undefined, state: SecretState | undefined) => ({
  settings: { alpacaKeys: keys === undefined ? {} : { "alpaca/api_key": keys } } as unknown as KeySettings,
  kind: alpacaPairs,
  secret: { kind: "alpaca-key", name: "alpaca/api_key" } as AlpacaKeyConfig,
  state,
});

describe("a new pair in the config", () => {
  it.each<[string, KeyPairs | undefined, SecretState | undefined, KeyPairs]>([
    ["the very first one", undefined, undefined, { current: C }],
    ["before the first update", { current: A }, undefined, { current: C, previous: A }],
    ["after an adoption", { current: A }, onA, { current: C, previous: A }],
    ["after a rotation", { current: B, previous: A }, onB, { current: C, previous: B }],
    ["after the old one was forgotten", { current: B }, onB, { current: C, previous: B }],
    [
      "after a rollback: the pair in use is the older one",
      { current: B, previous: A },
      backOnA,
      { current: C, previous: A },
    ],
    ["in place of one that was never rolled out", { current: B, previous: A }, onA, { current: C, previous: A }],
  ])("%s", (_, keys, state, expected) => expect(withNewPair(ring(keys, state), C)).toEqual(expected));

  it("corrects one that was never rolled out, under the same label", () => {
    const corrected = { ...B, secretKey: "copied-right-this-time" };
    expect(withNewPair(ring({ current: B, previous: A }, onA), corrected)).toEqual({ current: corrected, previous: A });
  });

  it.each<[string, KeyPair, RegExp]>([
    ["the label in use", { ...C, label: B.label }, /label paper-2026-12-01 was used before/],
    ["a label of long ago", { ...C, label: A.label }, /label paper-2026-11-20 was used before/],
    [
      "the key in use under another label",
      { ...B, label: C.label },
      /expected a new pair, found parts of the one in use/,
    ],
  ])("refuses %s", (_, added, message) => {
    const refused = () => withNewPair(ring({ current: B }, onB), added);
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(message);
  });

  it("refuses to lose the pair in use", () => {
    expect(() => withNewPair(ring({ current: A }, onB), C)).toThrow(/the pair in use, paper-2026-12-01, is missing/);
  });
});

describe("a pair from stdin", () => {
  it("is read as JSON", async () => expect(await pairFrom(JSON.stringify(A))).toEqual(A));

  it.each([
    ["", "found nothing"],
    ["PKAAAA secret-of-nobody", "found no JSON"],
    ["[]", "found invalid parts"],
    [JSON.stringify({ ...A, label: "secret-of-nobody" }), "label: expected a text with a date at its end"],
    [JSON.stringify({ ...A, secretKey: "secret-of nobody" }), "secretKey: expected at least 6 characters and no space"],
    [JSON.stringify({ ...A, "secret-of-nobody": 1 }), "unknown key"],
    [JSON.stringify({ label: A.label, keyId: A.keyId }), "secretKey: "],
  ])("%j is refused with nothing of it repeated", async (text, message) => {
    const error = await pairFrom(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toMatch(/secret-of|PKAAAA/);
  });
});
