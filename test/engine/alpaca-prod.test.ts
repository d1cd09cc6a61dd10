import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { auditRows, refusedUp, stateOf, stored, useBench } from "./harness";

describe("a live stack", () => {
  // As prod, by the real clock; but what is called prod is never a lab, and only a lab may be served by the offline plugins.
  const bench = useBench({ rotates: "alpaca", labOptions: { environment: "live" }, config: { lab: {} } });
  const adopted = () => suppliedPair("live-trading-2026-11-20", bench().lab.adoptedAlpaca);
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts);
  const supply = (current: object) => bench().stack.configureSecret("alpacaKeys", alpacaKeys(current, adopted()));

  it("refuses a paper pair that looks like a live one, before anything is written", async () => {
    const { paper, live } = bench().lab.alpaca;
    const pair = suppliedPair("live-trading-2026-11-23", paper.createKey({ keyId: "AKLOOKSLIKELIVE00001" }));
    await supply(pair);
    const message = await refusedUp(bench());
    expect(message).toContain(`expected a live key, found a paper one: ${paper.url} answers 200`);
    expect(message).toContain(`${live.url} answers 401`);
    expect(message).toContain("https://app.alpaca.markets/live/dashboard/overview");
    expect(await stored(bench(), "alpaca/api_key_id")).toEqual({ value: adopted().keyId, version: 1 });
    expect(restarts()).toEqual([]);
  });

  it("takes a live one, under the same label, and shows no part of it in the engine's event log", async () => {
    const pair = suppliedPair("live-trading-2026-11-23", bench().lab.alpaca.live.createKey());
    await supply(pair);
    const events = join(bench().stack.stateDir, "events.jsonl");
    const args = ["up", "--yes", "--skip-preview", "--event-log", events];
    // The flag is one of Pulumi's hidden ones.
    const result = await bench().stack.pulumi(args, { env: { PULUMI_DEBUG_COMMANDS: "true" } });
    expect(result.exitCode, result.stdout + result.stderr).toBe(0);
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ slots: [0, 1], active: 1 });
    expect((await stored(bench(), "alpaca/api_secret_key")).value).toBe(pair.secretKey);
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([["ADOPT", 1]]);
    const log = await readFile(events, "utf8");
    expect(log).toContain("alpaca-api_key-verify-alpaca");
    for (const { keyId, secretKey } of [pair, adopted()]) {
      expect(log.includes(keyId.slice(0, -4)) || log.includes(secretKey)).toBe(false);
    }
  });
});
