import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { AlpacaKeyConfig, Config } from "../../../../config";
import { type Alpaca, startAlpaca } from "../../../../dev/lab/alpaca";
import { alpacaPairs } from "../../../../kinds/alpaca-key/supplied";
import { tryLeakedKey } from "../../../../kinds/issuer/leaked";
import type { KnownStack } from "../../../../kinds/kind-operations";

const NAME = "alpaca/api_key";
let alpaca: Alpaca;
beforeAll(async () => {
  alpaca = await startAlpaca();
});
afterEach(() => alpaca.paper.setFault(undefined));
afterAll(() => alpaca?.stop());

const pair = (label: string) => ({ label, ...alpaca.paper.createKey() });

/** What is said of a pair that leaked, or of the half of it that was found. */
function tried(parts: Readonly<Record<string, string>>, current: object, previous?: object) {
  const alpacaKeys = { [NAME]: { current, ...(previous === undefined ? {} : { previous }) } };
  const config = { environment: "paper", alpaca: { baseUrl: alpaca.paper.url }, alpacaKeys } as unknown as Config;
  const secret = { name: NAME } as AlpacaKeyConfig;
  return tryLeakedKey(alpacaPairs, { config, resources: [] } satisfies KnownStack, secret, { username: null, parts });
}

it("works, also by one half of a pair that the config has, and is refused once it is deleted", async () => {
  const [leaked, current] = [pair("a"), pair("b")];
  const { keyId, secretKey } = leaked;
  expect(await tried({ keyId, secretKey }, current)).toMatchObject({ answer: "works" });
  expect(await tried({ secretKey }, current, leaked)).toMatchObject({ answer: "works" });
  expect(await tried({ secretKey }, current)).toBeUndefined();
  alpaca.paper.deleteKey(keyId);
  expect(await tried({ keyId, secretKey }, current)).toMatchObject({ answer: "refused" });
  expect(await tried({ keyId }, current, leaked)).toMatchObject({ answer: "refused" });
});

it.each([401, 403, 500] as const)("says nothing of a pair if Alpaca answers %i to all", async (status) => {
  const { keyId, secretKey } = pair("a");
  const current = pair("b");
  alpaca.paper.setFault({ status });
  expect(await tried({ keyId, secretKey }, current)).toMatchObject({ answer: "unknown" });
  expect(await tried({ keyId, secretKey }, { label: "a", keyId, secretKey })).toMatchObject({ answer: "unknown" });
});
