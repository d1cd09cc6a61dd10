import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { type Load, startLoad } from "../../dev/lab/load";
import { auditRows, refusedUp, stateOf, stored, up, useBench } from "./harness";

const READERS = ["execution-gateway", "market-data-service", "orchestrator"];

describe("rollback of an Alpaca key", () => {
  const bench = useBench({ rotates: "alpaca" });
  const paper = () => bench().lab.alpaca.paper;
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts.map(({ service }) => service));
  const adopted = () => suppliedPair(ADOPTED_LABEL, bench().lab.adoptedAlpaca);
  let second: ReturnType<typeof suppliedPair>;
  let load: Load;
  const request = (id: string, activate: number) =>
    bench().stack.configure("request", { id, secret: ALPACA_KEY, activate, reason: "orders are rejected" });

  beforeAll(async () => {
    second = suppliedPair("paper-trading-2026-11-23", paper().createKey());
    await bench().stack.configureSecret("alpacaKeys", alpacaKeys(second, adopted()));
    load = await startLoad(bench().lab, { alpacaPerSecond: 5 });
  });
  afterAll(() => load?.stop());

  it("adopts and rotates in the first update if the pair in use is given as previous", async () => {
    await up(bench());
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ slots: [0, 1], active: 1 });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([["ADOPT", 1]]);
    expect((await stored(bench(), "alpaca/api_secret_key")).value).toBe(second.secretKey);
    expect(restarts()).toEqual(READERS);
  });

  it("returns in under a minute, restarts included, also while the market is open and a service is ill", async () => {
    paper().setMarket(true);
    await bench().lab.hosts[0]?.setFault("market-data-service", { kind: "never-healthy" });
    await request("back", 0);
    const preview = await bench().stack.pulumi(["preview"]);
    expect(preview.stdout).toContain("rolls back to generation 0");
    await bench().lab.hosts[0]?.setFault("market-data-service", undefined);
    await up(bench());
    paper().setMarket(false);
    const row = (await auditRows(bench())).at(-1);
    expect(row).toMatchObject({ action: "ROLLBACK", generation: 0 });
    expect((await stored(bench(), "alpaca/api_key_id")).value).toBe(adopted().keyId);
    expect((await stored(bench(), "alpaca/api_secret_key")).value).toBe(adopted().secretKey);
    expect(restarts()).toEqual([...READERS, ...READERS]);
    for (const reader of READERS) {
      const { alpaca } = await bench().lab.health(reader);
      expect(alpaca).toMatchObject({ key_id_last4: adopted().keyId.slice(-4), generation: "0" });
    }
    const { alpaca } = await load.stop({ alpaca: 100 });
    expect(alpaca.failures).toEqual([]);
  });

  it("asks for the new key's deletion at once, and sees it, with no restart", async () => {
    const { stdout } = await up(bench());
    expect(stdout).toContain(`the key ${second.label} still works after the rollback. Delete it`);
    const before = restarts().length;
    paper().deleteKey(second.keyId);
    await up(bench());
    expect((await auditRows(bench())).at(-1)).toMatchObject({
      action: "REVOKE",
      generation: 1,
      reason: "deleted after the rollback",
    });
    expect(restarts()).toHaveLength(before);
  });

  it("refuses to return to a key that is gone, with what helps, and nothing is written or restarted", async () => {
    const [before, rows] = [restarts().length, (await auditRows(bench())).length];
    const { version } = await stored(bench(), "alpaca/api_key_id");
    await request("forth", 1);
    const message = await refusedUp(bench());
    expect(message).toContain(`the rollback to ${second.label} (key id …${second.keyId.slice(-4)}) is refused`);
    expect(message).toContain("The key was deleted, and Alpaca cannot restore one. What helps: remove the request");
    expect(message).not.toContain(second.secretKey);
    expect(restarts()).toHaveLength(before);
    expect(await auditRows(bench())).toHaveLength(rows);
    expect((await stored(bench(), "alpaca/api_key_id")).version).toBe(version);
  });
});
