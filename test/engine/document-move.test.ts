import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { startLoad } from "../../dev/lab/load";
import { json } from "./cli-support";
import { auditRows, login, refusedUp, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const PASSWORD = { at: 0, path: "database/trader" };
const PAIR = { at: 1, path: "alpaca/document" };

/** What docs/secret-shapes.md says under "Changing the shape of a running stack", for a password and for a pair of keys. */
describe("a stack that moves from values to documents", () => {
  const bench = useBench({ rotates: "both" });
  const set = async (at: number, key: string, value: string) => {
    const where = `secret-rotation:secrets[${at}].${key}`;
    const { exitCode, stderr } = await bench().stack.pulumi(["config", "set", "--path", where, value]);
    expect(exitCode, stderr).toBe(0);
  };
  const setFormat = async (format: string) => {
    for (const { at } of [PASSWORD, PAIR]) await set(at, "format", format);
  };
  const documentAt = async (path: string) => (await bench().lab.store.getDocument(path))?.data;
  const value = async (path: string) => (await stored(bench(), path)).value;
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts).length;
  const adopted = () => suppliedPair(ADOPTED_LABEL, bench().lab.adoptedAlpaca);
  let second: ReturnType<typeof suppliedPair>;

  it("is refused where readers would be left behind", { timeout: 600_000 }, async () => {
    await up(bench());
    for (const { at, path } of [PASSWORD, PAIR]) await set(at, "path", path);
    await setFormat("json");
    const said = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(said).toContain("format changed from value to json");
    expect(said).toContain("Set `format: both`");
    expect(await documentAt(PASSWORD.path)).toBeUndefined();
  });

  it("writes document and values side by side, restarts nothing, and rotates both without a failure", {
    timeout: 600_000,
  }, async () => {
    const { lab } = bench();
    const begun = restarts();
    await setFormat("both");
    await up(bench());
    expect(restarts()).toBe(begun);
    const user = await value("database/username");
    expect(user).toBe("trader_b");
    expect(await documentAt(PASSWORD.path)).toEqual({ username: user, password: await value("database/password") });
    const { keyId, secretKey } = adopted();
    expect(await documentAt(PAIR.path)).toEqual({ keyId, secretKey });
    // The one after it keeps the new shape for the next preflight, and runs nothing.
    await up(bench());
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect(restarts()).toBe(begun);

    const load = await startLoad(lab, { loginsPerSecond: 10, alpacaPerSecond: 5 });
    second = suppliedPair("paper-trading-2027-02-19", lab.alpaca.paper.createKey());
    await bench().stack.configureSecret("alpacaKeys", alpacaKeys(second, adopted()));
    await setDay(bench(), 89);
    await up(bench());
    const password = await value("database/password");
    expect(await documentAt(PASSWORD.path)).toEqual({ username: "trader_a", password });
    expect(await login(bench(), "trader_a", password)).toBe("ok");
    expect(await documentAt(PAIR.path)).toEqual({ keyId: second.keyId, secretKey: second.secretKey });
    expect(await value("alpaca/api_secret_key")).toBe(second.secretKey);
    const { logins, alpaca } = await load.stop({ logins: 20, alpaca: 10 });
    expect([...logins.failures, ...alpaca.failures]).toEqual([]);
    for (const secret of ["database/password", ALPACA_KEY]) {
      const [{ ok, points }] = await json<[{ ok: boolean; points: object[] }]>(bench(), ["validate", secret]);
      expect(ok, JSON.stringify(points)).toBe(true);
    }
  });

  it("ends with documents alone: the values keep what they held, and a pair that is rolled back is in its document", {
    timeout: 600_000,
  }, async () => {
    const { stack } = bench();
    const begun = restarts();
    const left = [await value("database/password"), await value("alpaca/api_secret_key")];
    await setFormat("json");
    await up(bench());
    await up(bench());
    expect(restarts()).toBe(begun);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    await stack.configure("request", { secret: ALPACA_KEY, id: "back", activate: 0, reason: "a test" });
    await up(bench());
    const { keyId, secretKey } = adopted();
    expect(await documentAt(PAIR.path)).toEqual({ keyId, secretKey });
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ slots: [0, 1], active: 0 });
    await stack.configure("request", { secret: "database/password", id: "now", rotate: true, reason: "a test" });
    await up(bench());
    const document = await documentAt(PASSWORD.path);
    expect(document).toMatchObject({ username: "trader_b" });
    expect(await login(bench(), "trader_b", String(document?.password))).toBe("ok");
    expect([await value("database/password"), await value("alpaca/api_secret_key")]).toEqual(left);

    const rows = await auditRows(bench());
    expect(rows.slice(-2).map(({ secret_name, action }) => [secret_name, action])).toEqual([
      [ALPACA_KEY, "ROLLBACK"],
      ["database/password", "ROTATE"],
    ]);
    const said = JSON.stringify(rows);
    for (const hidden of [String(document?.password), second.secretKey, secretKey]) expect(said).not.toContain(hidden);
  });
});
