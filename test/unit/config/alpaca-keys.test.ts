import { expect, it } from "vitest";
import { configWith, problemsOf, rightSecret } from "./example";

const KEY = { label: "paper-trading-2026-12-01", keyId: "PKTWELVEFIRST0000001", secretKey: "a-secret-of-alpaca" };
const PREVIOUS = { label: "paper-trading-2026-11-20", keyId: "PKELEVEN000000000001", secretKey: "another-secret" };

it.each([
  [{ label: "paper-trading" }, "current.label: expected a text with a date at its end"],
  [{ label: PREVIOUS.label }, "previous: expected another label than that of current, found the same"],
  [{ keyId: PREVIOUS.keyId }, "previous: expected another pair than current, found the same under another label"],
])("a pair with %j is refused by one message, which shows no half of it", (changes, message) => {
  const pairs = { "alpaca/api_key": { current: { ...KEY, ...changes }, previous: PREVIOUS } };
  const problems = problemsOf(
    configWith(
      [["secrets"], [rightSecret(), { kind: "alpaca-key", restart: ["orchestrator"] }]],
      [["alpacaKeys"], pairs],
    ),
  );
  expect(problems).toEqual([expect.stringContaining(`alpacaKeys["alpaca/api_key"].${message}`)]);
  for (const { keyId, secretKey } of [KEY, PREVIOUS])
    for (const half of [keyId, secretKey]) expect(problems.join()).not.toContain(half);
});
