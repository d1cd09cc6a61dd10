import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, apiKeys, suppliedKey } from "../../dev/lab/deploy";
import type { KeyIssuer } from "../../dev/lab/key-issuer";
import { keyTail } from "../../dev/lab/services/clients";
import { unwrapped } from "./cli-support";
import { auditRows, refusedUp, setDay, stored, UNCHANGED, up, useBench } from "./harness";

const SECRET = "market-data/api-key";
const READERS = ["market-data-service", "orchestrator"];

describe("a key of any issuer through its whole life", () => {
  const bench = useBench({
    labOptions: { issuer: true, services: READERS.map((name) => ({ name, apiKey: SECRET })) },
    only: [SECRET],
  });
  const issuer = (): KeyIssuer => {
    const { issuer: found } = bench().lab;
    if (found === undefined) throw new Error("the lab has no issuer");
    return found;
  };
  const first = () => suppliedKey(ADOPTED_LABEL, issuer().made[0] ?? { key: "" });
  const second = () => suppliedKey("market-data-2026-12-01", issuer().made[1] ?? { key: "" });
  const supply = (current: object, previous?: object) =>
    bench().stack.configureSecret("apiKeys", apiKeys(issuer(), current, previous));
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts.map(({ service }) => service));
  const lastRow = async () => (await auditRows(bench())).at(-1);
  const current = async () => (await stored(bench(), SECRET)).value;

  it("is adopted, previewed and rotated: proven before it is written, every reader in order, and the row", async () => {
    await up(bench());
    expect(await lastRow()).toMatchObject({ action: "ADOPT", generation: 0, outputs: { identity: issuer().account } });
    expect(restarts()).toEqual([]);

    issuer().createKey();
    await supply(second(), first());
    await setDay(bench(), 8);
    const preview = unwrapped((await bench().stack.pulumi(["preview", "--diff"])).stdout);
    expect(preview).toContain("verify-key");
    for (const { key } of issuer().made) expect(preview).not.toContain(key);
    await up(bench());
    expect(await stored(bench(), SECRET)).toEqual({ value: second().values.key, version: 2 });
    expect(restarts()).toEqual(READERS);
    for (const reader of READERS) {
      expect(await bench().lab.health(reader)).toMatchObject({
        status: "healthy",
        api_key: { key: keyTail(second().values.key), account: issuer().account },
      });
    }
    const row = await lastRow();
    expect(row).toMatchObject({
      action: "ROTATE",
      generation: 1,
      outputs: { key: { label: second().label }, identity: issuer().account },
    });
    for (const { key } of issuer().made) expect(JSON.stringify(row)).not.toContain(key);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("rolls back, and refuses a key of another account and one that the issuer refuses", async () => {
    await bench().stack.configure("request", { id: "back", secret: SECRET, activate: 0, reason: "a test" });
    await up(bench());
    expect(await current()).toBe(first().values.key);
    expect(await lastRow()).toMatchObject({ action: "ROLLBACK", generation: 0 });

    const other = suppliedKey("market-data-2026-12-02", issuer().createKey({ account: "ACC-other" }));
    await supply(other, first());
    const said = unwrapped(await refusedUp(bench()));
    expect(said).toContain(
      `expected ${other.label} to belong to ${issuer().account}, as the key in use, ${ADOPTED_LABEL} does, found ACC-other`,
    );
    expect(said).toContain("The key was not written, and no service was restarted for it.");
    expect(await current()).toBe(first().values.key);
  });
});
