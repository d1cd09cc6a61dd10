import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ApiKeyConfig, Config } from "../../../../config";
import { StepError } from "../../../../core/errors";
import { issuerProbe, type KeyIssuer, startKeyIssuer } from "../../../../dev/lab/key-issuer";
import { referenceOf } from "../../../../kinds/api-key/reference";
import { apiKeySchema } from "../../../../kinds/api-key/schema";
import { apiKeys } from "../../../../kinds/api-key/supplied";
import { connectIssuer } from "../../../../kinds/issuer/connect";
import { tryLeakedKey } from "../../../../kinds/issuer/leaked";
import { seePrevious } from "../../../../kinds/issuer/previous-key";
import { type VerifyKeyArgs, verifyKey } from "../../../../kinds/issuer/verify-key";

const NAME = "market-data/api-key";
let issuer: KeyIssuer & { stop(): Promise<void> };
let secret: ApiKeyConfig;
beforeAll(async () => {
  issuer = await startKeyIssuer();
  const verify = issuerProbe(issuer.url);
  secret = apiKeySchema.parse({ kind: "api-key", name: NAME, verify, restart: ["orchestrator"] });
});
afterEach(() => {
  issuer.fault = undefined;
});
afterAll(() => issuer?.stop());

const made = (label: string, options: Parameters<KeyIssuer["createKey"]>[0] = {}) => ({
  label,
  values: { key: issuer.createKey(options).key },
});

describe("a key is proven", () => {
  const proven = (more: Partial<VerifyKeyArgs> & Pick<VerifyKeyArgs, "key">) =>
    verifyKey({
      issuer: connectIssuer(referenceOf(secret)),
      secret: NAME,
      purpose: "rotation",
      supply: `rotation key add ${NAME}`,
      ...more,
    });
  /** The message of a refusal, which shows no part of any key. */
  const refusal = async (asked: Promise<unknown>) => {
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StepError);
    for (const { key } of issuer.made) expect(String(error)).not.toContain(key);
    return String(error);
  };

  it("by its own account, and that of the key in use", async () => {
    const [before, key] = [made("a"), made("b")];
    expect(await proven({ key, before })).toEqual({ identity: issuer.account, waited: 0 });
    const other = made("c", { account: "ACC-other" });
    expect(await refusal(proven({ key: other, before }))).toContain(
      `expected c to belong to ${issuer.account}, as the key in use, a does, found ACC-other`,
    );
    expect(await refusal(proven({ key, account: "ACC-other" }))).toContain("as the config key `account` does");
  });

  it("by the config's account, if the key in use has ended already", async () => {
    const [before, key] = [made("a"), made("b")];
    issuer.deleteKey(before.values.key);
    const said = await refusal(proven({ key, before }));
    expect(said).toContain("the key in use, a, does not work either");
    expect(said).toContain(`set \`account: ${issuer.account}\` for ${NAME}`);
    expect(await proven({ key, before, account: issuer.account })).toMatchObject({ identity: issuer.account });
  });

  it("once its issuer has activated it, and not after the wait for that", async () => {
    const said: string[] = [];
    const key = made("b", { refusals: 1 });
    const asked = await proven({ key, activationWait: 20_000, onWait: (message) => said.push(message) });
    expect(asked.waited).toBeGreaterThanOrEqual(1);
    expect(said).toEqual([
      expect.stringMatching(/^b: .* answers 401; waiting up to 20 s for the issuer to activate it$/),
    ]);
    issuer.deleteKey(key.values.key);
    const late = await refusal(proven({ key, activationWait: 500 }));
    expect(late).toContain("answers 401 still after 1 s");
    expect(late).toContain(`supply it with \`rotation key add ${NAME}\`. The key was not written`);
  });

  it("never by an answer that says nothing: a 403 is none, and the message names where to look", async () => {
    issuer.fault = { status: 403 };
    expect(await refusal(proven({ key: made("b") }))).toMatch(
      /answers 403 Forbidden .*That is neither `verify.expect` nor `verify.revoked`/,
    );
  });

  it("before a rollback to it; the key that is left may be broken", async () => {
    const [left, key] = [made("a"), made("b")];
    issuer.deleteKey(left.values.key);
    expect(await proven({ purpose: "rollback", key, before: left })).toMatchObject({ waited: 0 });
    expect(await refusal(proven({ purpose: "rollback", key: left, before: key }))).toMatch(
      /the rollback to a is refused: .*answers 401.*`pulumi config rm request`/,
    );
  });
});

describe("the previous key", () => {
  const config = { environment: "paper", apiKeys: {}, alpacaKeys: {} } as unknown as Config;
  const patience = { limit: 1500, timeout: 1000 };

  it("is alive, or gone while another one works", async () => {
    const [previous, active] = [made("a"), made("b")];
    const see = () => seePrevious(apiKeys, config, secret, { previous, active }, patience);
    expect(await see()).toEqual({ previous: "alive" });
    issuer.deleteKey(previous.values.key);
    expect(await see()).toEqual({ previous: "gone" });
  });

  it("is unknown if every key is refused, for a 403, and if nothing answers", async () => {
    const [previous, active] = [made("a"), made("b")];
    const see = () => seePrevious(apiKeys, config, secret, { previous, active }, patience);
    issuer.fault = { status: 401 };
    expect(await see()).toMatchObject({ because: expect.stringMatching(/^the key in use, b, is refused as well/) });
    issuer.fault = { status: 403 };
    expect(await see()).toMatchObject({ because: expect.stringMatching(/403.*, which a deleted key does not$/) });
    issuer.fault = { hangs: true };
    expect(await see()).toMatchObject({ because: expect.stringContaining("no answer in time") });
  });

  it("that leaked is tried with its own values", async () => {
    const [leaked, current] = [made("a"), made("b")];
    const stack = { config: { ...config, apiKeys: { [NAME]: { current } } } as Config, resources: [] };
    const tried = () => tryLeakedKey(apiKeys, stack, secret, { username: null, parts: leaked.values });
    expect(await tried()).toMatchObject({ answer: "works" });
    issuer.deleteKey(leaked.values.key);
    expect(await tried()).toMatchObject({ answer: "refused" });
    issuer.fault = { status: 401 };
    expect(await tried()).toMatchObject({ answer: "unknown" });
    expect(await tryLeakedKey(apiKeys, stack, secret, { username: null, parts: {} })).toBeUndefined();
  });
});
