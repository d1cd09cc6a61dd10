import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { startLoad } from "../../dev/lab/load";
import { auditRows, refusedUp, setDay, stateOf, stored, up, useBench } from "./harness";
import { labelled, tagsOf } from "./labels";

const [ID, SECRET] = ["alpaca/api_key_id", "alpaca/api_secret_key"];

describe("an Alpaca pair, kept in AWS Secrets Manager", () => {
  const bench = useBench({ labOptions: { store: "aws" }, rotates: "alpaca" });
  const adopted = () => suppliedPair(ADOPTED_LABEL, bench().lab.adoptedAlpaca);
  let second: ReturnType<typeof suppliedPair>;
  const request = (more: object) =>
    bench().stack.configure("request", { secret: ALPACA_KEY, activate: 0, reason: "orders are rejected", ...more });

  it("adopts and rotates: both halves with AWS's two labels, the mark on the old pair, no failed request", async () => {
    const { lab, stack } = bench();
    const load = await startLoad(lab, { alpacaPerSecond: 5 });
    await up(bench());
    const { version } = await stored<string>(bench(), ID);
    second = suppliedPair("paper-trading-2026-12-01", lab.alpaca.paper.createKey());
    await stack.configureSecret("alpacaKeys", alpacaKeys(second, adopted()));
    await setDay(bench(), 8);
    await up(bench());
    const { alpaca } = await load.stop({ alpaca: 50 });
    expect(alpaca.failures).toEqual([]);
    expect(await labelled(bench(), ID)).toEqual({ current: second.keyId, previous: adopted().keyId });
    expect(await labelled(bench(), SECRET)).toEqual({ current: second.secretKey, previous: adopted().secretKey });
    expect(await tagsOf(bench(), ID)).toMatchObject({
      status: "deprecated",
      deprecated_version: version,
      deprecated_label: ADOPTED_LABEL,
      rotation_date: "2026-12-01T02:00:00.000Z",
      grace_until: "2026-12-02T02:00:00.000Z",
    });
  });

  it("stops right before a rollback would overwrite an external write, and overwrites it when told to", async () => {
    const { lab } = bench();
    await lab.store.put(SECRET, "written-by-hand-1");
    const { version } = await stored<string>(bench(), SECRET);
    await request({ id: "back" });
    const said = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(said).toContain(`external write to ${SECRET}: version ${version}, written 20`);
    expect(said).toContain("Nothing was overwritten. Two ways on: take that value over");
    expect(said).not.toContain("written-by-hand");
    expect((await stored<string>(bench(), SECRET)).version).toBe(version);
    expect((await stored<string>(bench(), ID)).value).toBe(second.keyId);

    await request({ id: "back", force: true });
    await up(bench());
    expect(await labelled(bench(), ID)).toEqual({ current: adopted().keyId, previous: second.keyId });
    expect((await labelled(bench(), SECRET)).current).toBe(adopted().secretKey);
    for (const service of lab.readers(ALPACA_KEY)) {
      const { status, alpaca } = await lab.health(service);
      expect([status, alpaca?.key_id_last4]).toEqual(["healthy", adopted().keyId.slice(-4)]);
    }
    const rows = await auditRows(bench());
    expect(rows.map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 0],
      ["ROTATE", 1],
      ["ROLLBACK", 0],
    ]);
    expect(JSON.stringify(rows.at(-1)?.outputs)).toContain(`overwrites ${SECRET}: version ${version}`);
    // The request is done: nothing acts again, and `force` holds no longer.
    expect((await up(bench())).stdout).not.toMatch(/\d+ (created|replaced|deleted)/);
    expect((await auditRows(bench())).length).toBe(rows.length);
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ slots: [0, 1], active: 0 });
  });
});
