import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { startLoad } from "../../dev/lab/load";
import { auditRows, refusedUp, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const READERS = ["execution-gateway", "market-data-service", "orchestrator"];
const DASHBOARD = "https://app.alpaca.markets/paper/dashboard/overview";

describe("an Alpaca key through its whole life, by plain `pulumi up`", () => {
  const bench = useBench({ rotates: "alpaca" });
  const paper = () => bench().lab.alpaca.paper;
  const adopted = () => suppliedPair(ADOPTED_LABEL, bench().lab.adoptedAlpaca);
  const made = new Map<string, ReturnType<typeof suppliedPair>>();
  /** A pair that is made on the dashboard the first time it is asked for. */
  const pair = (label: string) => {
    if (!made.has(label)) made.set(label, suppliedPair(label, paper().createKey()));
    return made.get(label) as ReturnType<typeof suppliedPair>;
  };
  const second = () => pair("paper-trading-2026-12-01");
  const third = () => pair("paper-trading-2026-12-21");
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts.map(({ service }) => service));
  const supply = (current: object, previous?: object) =>
    bench().stack.configureSecret("alpacaKeys", alpacaKeys(current, previous));
  const lastRow = async () => (await auditRows(bench())).at(-1);
  const metadata = async (path: string) => {
    const { data } = await bench().lab.openbao.request("GET", `secret/metadata/paper/alpaca/${path}`);
    return (data as { custom_metadata: Record<string, string> }).custom_metadata;
  };

  it("adopts the pair in use: proven, compared with the store, and nothing written or restarted", async () => {
    await up(bench());
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({
      slots: [0, -1],
      active: 0,
      labels: [ADOPTED_LABEL, null],
    });
    expect(await lastRow()).toMatchObject({
      secret_name: ALPACA_KEY,
      action: "ADOPT",
      generation: 0,
      status: "SUCCESS",
    });
    expect(await stored(bench(), "alpaca/api_key_id")).toEqual({ value: adopted().keyId, version: 1 });
    expect(restarts()).toEqual([]);
  });

  // Why else a pair is refused: test/servers/kinds/alpaca-key/verify.test.ts, and test/unit/config/alpaca-keys.test.ts.
  it("refuses a wrong pair: nothing is written or restarted, and no part of it is shown", async () => {
    const { stack, lab } = bench();
    const { baseUrl, otherUrl } = { baseUrl: paper().url, otherUrl: lab.alpaca.live.url };
    await stack.configure("alpaca", { baseUrl, otherUrl, activationWait: "1s" });
    await setDay(bench(), 8);
    // The label stays with the corrected pair: the next test finishes what this one began.
    const label = "paper-trading-2026-12-01";
    const pair = suppliedPair(label, { ...paper().createKey(), secretKey: "mistyped-on-the-way" });
    await supply(pair, adopted());
    const message = await refusedUp(bench());
    expect(message).toContain("found 401 Unauthorized still after 1 s");
    expect(message).toContain("The pair was not written, and no service was restarted for it.");
    expect(message).toContain(`${label} (key id …${pair.keyId.slice(-4)}) answers 401: waiting up to 1 s`);
    expect(message).not.toContain(pair.secretKey);
    expect(message).not.toContain(pair.keyId.slice(0, -4));
    for (const path of ["alpaca/api_key_id", "alpaca/api_secret_key"])
      expect((await stored(bench(), path)).version).toBe(1);
    expect(restarts()).toEqual([]);
    expect(await auditRows(bench())).toHaveLength(1);
    await stack.configure("alpaca", { baseUrl, otherUrl });
  });

  it("rotates by a new label: both halves, every reader in order, the mark, the row, and no failed request", async () => {
    const load = await startLoad(bench().lab, { alpacaPerSecond: 5 });
    await supply(second(), adopted());
    await setDay(bench(), 8);
    await up(bench());
    const { alpaca } = await load.stop({ alpaca: 50 });
    expect(alpaca.failures).toEqual([]);
    expect(await stored(bench(), "alpaca/api_key_id")).toEqual({ value: second().keyId, version: 2 });
    expect(await stored(bench(), "alpaca/api_secret_key")).toEqual({ value: second().secretKey, version: 2 });
    expect(restarts()).toEqual(READERS);
    for (const reader of READERS) {
      const { status, alpaca: held } = await bench().lab.health(reader);
      expect({ status, last4: held?.key_id_last4, generation: held?.generation }).toEqual({
        status: "healthy",
        last4: second().keyId.slice(-4),
        generation: "1",
      });
    }
    expect(await lastRow()).toMatchObject({
      action: "ROTATE",
      generation: 1,
      outputs: {
        key: { label: second().label, keyId: `…${second().keyId.slice(-4)}` },
        account: paper().account().account_number,
      },
    });
    for (const path of ["api_key_id", "api_secret_key"]) {
      expect(await metadata(path)).toEqual({
        rotation_date: "2026-12-01T02:00:00.000Z",
        status: "deprecated",
        deprecated_version: "1",
        deprecated_label: ADOPTED_LABEL,
        grace_until: "2026-12-02T02:00:00.000Z",
      });
    }
  });

  it("notices a key that was deleted before its grace period ended, and restarts every reader at once", async () => {
    paper().deleteKey(adopted().keyId);
    paper().setMarket(true);
    await setDay(bench(), 8.5);
    const { stdout } = await up(bench());
    paper().setMarket(false);
    const why = `the key ${ADOPTED_LABEL} was deleted before its grace period ended (2026-12-02T02:00:00.000Z)`;
    expect(stdout).toContain(why);
    expect(restarts()).toEqual([...READERS, ...READERS]);
    expect(await lastRow()).toMatchObject({ action: "REVOKE", generation: 0, reason: expect.stringContaining(why) });
    expect(await metadata("api_key_id")).toEqual({ rotation_date: "2026-12-01T02:00:00.000Z", status: "active" });
    expect((await stored(bench(), "alpaca/api_key_id")).version).toBe(2);
  });

  it("reminds, and breaks nothing, while a key still works after its grace period", async () => {
    await supply(third(), second());
    await setDay(bench(), 28);
    await up(bench());
    expect(await lastRow()).toMatchObject({ action: "ROTATE", generation: 2 });
    await setDay(bench(), 29.5);
    const { stdout } = await up(bench());
    expect(stdout).toContain(`warning: alpaca/api_key: the key ${second().label} still works`);
    expect(stdout).toContain(`${DASHBOARD} → API Keys → Delete on ${second().label}`);
    expect(stdout).toMatch(UNCHANGED);
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ revoked: false });
  });

  it("sees the 401 after the deletion, says so in the log, and restarts nothing", async () => {
    const before = restarts().length;
    paper().deleteKey(second().keyId);
    await up(bench());
    expect(await lastRow()).toMatchObject({ action: "REVOKE", generation: 1, reason: "grace period over" });
    expect(await metadata("api_secret_key")).toEqual({ rotation_date: "2026-12-21T02:00:00.000Z", status: "active" });
    expect(restarts()).toHaveLength(before);
  });

  it("forgets the pair that is gone: out of config and state, and nothing else moves", async () => {
    const [before, rows] = [restarts().length, (await auditRows(bench())).length];
    const everything = () => bench().stack.pulumi(["stack", "export", "--show-secrets"]);
    expect((await everything()).stdout).toContain(second().secretKey);
    await supply(third());
    await up(bench());
    expect((await everything()).stdout).not.toContain(second().secretKey);
    expect(restarts()).toHaveLength(before);
    expect(await auditRows(bench())).toHaveLength(rows);
    expect(await stored(bench(), "alpaca/api_key_id")).toEqual({ value: third().keyId, version: 3 });
  });

  it("leaves no trace of a pair beyond the last four characters of its id", async () => {
    const { stdout: state } = await bench().stack.pulumi(["stack", "export"]);
    const { stdout: outputs } = await bench().stack.pulumi(["stack", "output", "--json"]);
    const rows = JSON.stringify(await auditRows(bench()));
    for (const { keyId, secretKey } of [adopted(), second(), third()]) {
      for (const text of [state, outputs, rows]) {
        expect(text).not.toContain(keyId.slice(0, -4));
        expect(text).not.toContain(secretKey);
      }
    }
  });
});
