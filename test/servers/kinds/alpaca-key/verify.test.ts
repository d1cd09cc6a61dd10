import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Alpaca, startAlpaca } from "../../../../dev/lab/alpaca";
import { type AlpacaPlaces, alpacaPlaces } from "../../../../kinds/alpaca-key/places";
import { type Pair, PairRefusedError, type VerifyArgs, verifyPair } from "../../../../kinds/alpaca-key/verify";

let alpaca: Alpaca;
let places: { paper: AlpacaPlaces; live: AlpacaPlaces };
let used: Pair;
const NOTHING = "The pair was not written, and no service was restarted for it.";
const LABEL = "paper-trading-2026-11-23";
const paired = (label: string, { keyId, secretKey }: { keyId: string; secretKey: string }): Pair => ({
  label,
  keyId,
  secretKey,
});

beforeAll(async () => {
  alpaca = await startAlpaca();
  const { paper, live } = alpaca;
  places = {
    paper: alpacaPlaces({ baseUrl: paper.url, otherUrl: live.url }, "paper"),
    live: alpacaPlaces({ baseUrl: live.url, otherUrl: paper.url }, "prod"),
  };
  used = paired("paper-trading-2026-08-25", paper.createKey());
});
afterEach(() => alpaca.paper.setFault(undefined));
afterAll(() => alpaca?.stop());

const verify = (pair: Pair, more: Partial<VerifyArgs> = {}) =>
  verifyPair({ places: places.paper, purpose: "rotation", pair, before: used, ask: { limit: 10_000 }, ...more });

/** The message of a refusal, which never has more of a pair than the last four characters of its id. */
async function refusal(pair: Pair, more: Partial<VerifyArgs> = {}): Promise<string> {
  const error = await verify(pair, more).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PairRefusedError);
  const message = (error as Error).message;
  for (const { keyId, secretKey } of [pair, used]) {
    expect(message).not.toContain(keyId.slice(0, -4));
    expect(message).not.toContain(secretKey);
  }
  expect(message).toContain(NOTHING);
  return message;
}

describe("a new pair is proven", () => {
  it("by 200, an active account, and the account of the pair in use", async () => {
    const pair = paired(LABEL, alpaca.paper.createKey());
    expect(await verify(pair)).toEqual({
      account: { number: alpaca.paper.account().account_number, status: "ACTIVE" },
      waited: 0,
    });
  });

  it("once Alpaca has activated it, and says that it waits", async () => {
    const pair = paired(LABEL, alpaca.paper.createKey());
    alpaca.paper.setFault({ status: 401, keyId: pair.keyId });
    const said: string[] = [];
    const onWait = (message: string) => {
      said.push(message);
      alpaca.paper.setFault(undefined);
    };
    const { waited } = await verify(pair, { activationWait: 60_000, onWait });
    expect(waited).toBeGreaterThanOrEqual(1);
    expect(said).toEqual([
      `${LABEL} (key id …${pair.keyId.slice(-4)}) answers 401: waiting up to 60 s for Alpaca to activate it`,
    ]);
  });

  it("by the account that the config names if the pair in use is gone", async () => {
    const pair = paired(LABEL, alpaca.paper.createKey());
    const before = { ...used, secretKey: "deleted-by-now" };
    const number = alpaca.paper.account().account_number;
    expect(await refusal(pair, { before })).toContain(`set \`account: ${number}\` for this secret`);
    expect(await verify(pair, { before, account: number })).toMatchObject({ account: { number } });
    expect(await refusal(pair, { before, account: "PA0" })).toContain("expected");
  });
});

describe("refused with what to do:", () => {
  it("a wrong pair, after the time that an activation takes", async () => {
    const pair = paired(LABEL, { ...alpaca.paper.createKey(), secretKey: "mistyped-secret" });
    const message = await refusal(pair, { activationWait: 1000 });
    expect(message).toContain(
      `to answer 200 to ${LABEL} (key id …${pair.keyId.slice(-4)}), found 401 Unauthorized still after 1 s`,
    );
    expect(message).toContain("https://app.alpaca.markets/paper/dashboard/overview → API Keys");
    expect(message).toContain("copied wrongly");
  });

  it("a key that Alpaca denies", async () => {
    const pair = paired(LABEL, alpaca.paper.createKey());
    alpaca.paper.setFault({ status: 403 });
    expect(await refusal(pair)).toContain("found 403 Forbidden");
  });

  it("a pair of another account", async () => {
    const account = alpaca.paper.createAccount().account_number;
    const message = await refusal(paired(LABEL, alpaca.paper.createKey({ account })));
    expect(message).toContain(
      `to belong to account ${alpaca.paper.account().account_number}, that of the pair in use, ${used.label}`,
    );
    expect(message).toContain(`found account ${account}`);
  });

  it("a paper pair in a live stack, by what Alpaca answers", async () => {
    // A key's look says nothing: this paper key looks like a live one.
    const pair = paired(LABEL, alpaca.paper.createKey({ keyId: "AKLOOKSLIKELIVE00001" }));
    const message = await refusal(pair, { places: places.live, before: undefined, activationWait: 60_000 });
    expect(message).toContain(`expected a live key, found a paper one: ${alpaca.paper.url} answers 200`);
    expect(message).toContain("https://app.alpaca.markets/live/dashboard/overview");
  });

  it("a live pair in a paper stack", async () => {
    const message = await refusal(paired(LABEL, alpaca.live.createKey()), { activationWait: 60_000 });
    expect(message).toContain(`expected a paper key, found a live one: ${alpaca.live.url} answers 200`);
  });

  it("a suspended account", async () => {
    const { account_number: account } = alpaca.paper.createAccount({ status: "SUSPENDED" });
    const message = await refusal(paired(LABEL, alpaca.paper.createKey({ account })), { before: undefined });
    expect(message).toContain(`to be ACTIVE, found SUSPENDED (account ${account})`);
  });

  it("an id and a secret that are swapped", async () => {
    const { keyId, secretKey } = alpaca.paper.createKey();
    const message = await refusal(paired(LABEL, { keyId: secretKey, secretKey: keyId }), { activationWait: 60_000 });
    expect(message).toContain(`the key id and the secret key of ${LABEL} are swapped`);
    expect(message).not.toContain(keyId.slice(0, -4));
  });
});

describe("a rollback", () => {
  it("is refused if the old pair answers 401, with the steps that do help, and is not waited for", async () => {
    const gone = paired("paper-trading-2026-05-01", alpaca.paper.createKey());
    alpaca.paper.deleteKey(gone.keyId);
    const said: string[] = [];
    const onWait = (text: string) => said.push(text);
    const message = await refusal(gone, { purpose: "rollback", activationWait: 60_000, onWait });
    expect(said).toEqual([]);
    expect(message).toContain("The key was deleted, and Alpaca cannot restore one. What helps:");
    expect(message).toContain("restart the services that read it");
  });

  it("does not care whether the pair that it leaves still works", async () => {
    const broken = paired(LABEL, { keyId: "PKDELETED00000000000", secretKey: "deleted-secret" });
    expect(await verify(used, { purpose: "rollback", before: broken })).toMatchObject({
      account: { status: "ACTIVE" },
    });
  });

  it("does not return to another account", async () => {
    const { account_number: account } = alpaca.paper.createAccount();
    const elsewhere = paired(LABEL, alpaca.paper.createKey({ account }));
    expect(await refusal(elsewhere, { purpose: "rollback" })).toContain(`found account ${account}`);
  });
});

describe("places", () => {
  it.each([
    ["https://paper-api.alpaca.markets", "paper", "paper", "https://api.alpaca.markets"],
    ["https://api.alpaca.markets", "prod", "live", "https://paper-api.alpaca.markets"],
    ["https://paper-api.alpaca.markets", "staging", "paper", "https://api.alpaca.markets"],
    ["http://127.0.0.1:8080", "prod", "live", undefined],
    ["http://127.0.0.1:8080", "staging", "paper", undefined],
  ])("%s in %s is %s", (baseUrl, environment, kind, otherUrl) => {
    expect(alpacaPlaces({ baseUrl }, environment)).toMatchObject({ environment: kind, otherUrl });
  });
});
