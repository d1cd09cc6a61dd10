import { beforeAll, describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { auditRows, refusedUp, setDay, stored, up, useBench } from "./harness";

const LABEL = "paper-trading-2026-12-01";

describe("a pair that is not what it must be", () => {
  const bench = useBench({ rotates: "alpaca" });
  const alpaca = () => bench().lab.alpaca;
  const adopted = () => suppliedPair(ADOPTED_LABEL, bench().lab.adoptedAlpaca);

  beforeAll(async () => {
    await up(bench());
    await setDay(bench(), 8);
    const { baseUrl, otherUrl } = { baseUrl: alpaca().paper.url, otherUrl: alpaca().live.url };
    await bench().stack.configure("alpaca", { baseUrl, otherUrl, activationWait: "1s" });
  });

  /** The message of an update with this pair; nothing may have happened but that. */
  async function refused(pair: ReturnType<typeof suppliedPair>): Promise<string> {
    const { lab, stack } = bench();
    await stack.configureSecret("alpacaKeys", alpacaKeys(pair, adopted()));
    const message = await refusedUp(bench());
    expect((await stored(bench(), "alpaca/api_key_id")).version).toBe(1);
    expect((await stored(bench(), "alpaca/api_secret_key")).version).toBe(1);
    expect(lab.hosts.flatMap(({ restarts }) => restarts)).toEqual([]);
    expect(await auditRows(bench())).toHaveLength(1);
    expect(message).not.toContain(pair.secretKey);
    expect(message).not.toContain(pair.keyId.slice(0, -4));
    return message;
  }

  it("a wrong pair", async () => {
    const pair = suppliedPair(LABEL, { ...alpaca().paper.createKey(), secretKey: "mistyped-on-the-way" });
    const message = await refused(pair);
    expect(message).toContain("found 401 Unauthorized still after 1 s");
    expect(message).toContain("Nothing was written and no service was restarted.");
    expect(message).toContain(`${LABEL} (key id …${pair.keyId.slice(-4)}) answers 401: waiting up to 1 s`);
  });

  it("a pair of another account", async () => {
    const { account_number: account } = alpaca().paper.createAccount();
    const message = await refused(suppliedPair(LABEL, alpaca().paper.createKey({ account })));
    expect(message).toContain(`found account ${account}`);
  });

  it("a pair of the other environment", async () => {
    const message = await refused(suppliedPair(LABEL, alpaca().live.createKey()));
    expect(message).toContain("expected a paper key, found a live one");
  });

  it("a suspended account", async () => {
    const { account_number: account } = alpaca().paper.createAccount({ status: "SUSPENDED" });
    const message = await refused(suppliedPair(LABEL, alpaca().paper.createKey({ account })));
    expect(message).toContain("to be ACTIVE, found SUSPENDED");
  });

  it("an id and a secret that are swapped", async () => {
    const key = alpaca().paper.createKey();
    const message = await refused(suppliedPair(LABEL, { ...key, keyId: key.secretKey, secretKey: key.keyId }));
    expect(message).toContain("the key id and the secret key of paper-trading-2026-12-01 are swapped");
  });

  it("a label without a date, or one that both pairs have", async () => {
    const key = alpaca().paper.createKey();
    expect(await refused(suppliedPair("paper-trading", key))).toContain(
      'secret-rotation:alpacaKeys["alpaca/api_key"].current.label: expected a text with a date at its end',
    );
    expect(await refused(suppliedPair(ADOPTED_LABEL, key))).toContain("expected another label than that of current");
  });
});
