import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { startLoad } from "../../dev/lab/load";
import { poll } from "../../dev/lab/poll";
import { readPair, storeReader } from "../../dev/lab/services/store";
import { auditRows, useBench } from "./harness";

describe("an Alpaca pair is never mixed", () => {
  const bench = useBench({ rotates: "alpaca" });

  it("whenever it is read, and whenever a service restarts, while both halves are written", async () => {
    const { lab, stack } = bench();
    const { paper } = lab.alpaca;
    const adopted = suppliedPair(ADOPTED_LABEL, lab.adoptedAlpaca);
    const second = suppliedPair("paper-trading-2026-11-23", paper.createKey());
    await stack.configureSecret("alpacaKeys", alpacaKeys(second, adopted));

    let [over, rollsOut] = [false, false];
    const service = lab.service("market-data-service");
    const reader = storeReader(service.config.store);
    const read = new Set<string>();
    const reading = (async () => {
      for (; !over; await new Promise((resolve) => setTimeout(resolve, 20))) {
        const [id, secret] = await readPair(reader, ["paper/alpaca/api_key_id", "paper/alpaca/api_secret_key"], 20_000);
        read.add(`${id.value} ${secret.value}`);
      }
    })();
    const healthy = async () => (await lab.health("market-data-service")).status === "healthy";
    let restarts = 0;
    let restarting: Promise<void> | undefined;
    // From the moment at which the preflight has found it healthy, until the rollout wants it to stay up.
    const restart = async () => {
      for (; !rollsOut; restarts++) {
        await lab.hosts[0]?.systemctl("restart", "market-data-service");
        await poll(healthy, { what: "market-data-service healthy", limitMs: 200_000 });
      }
    };
    const load = await startLoad(lab, { alpacaPerSecond: 10, services: ["execution-gateway", "orchestrator"] });
    let result: Awaited<ReturnType<typeof stack.pulumi>>;
    try {
      result = await stack.pulumi(["up", "--yes", "--skip-preview"], {
        onOutput: (text) => {
          if (text.includes("preflight-checks created")) restarting ??= restart();
          if (text.includes("alpaca-api_key-restart-")) rollsOut = true;
        },
      });
    } finally {
      over = rollsOut = true;
      await Promise.all([reading, restarting]);
    }
    expect(result.exitCode, result.stdout).toBe(0);
    await lab.healthy();
    const { alpaca } = await load.stop({ alpaca: 50 });

    const whole = [adopted, second].map(({ keyId, secretKey }) => `${keyId} ${secretKey}`);
    expect([...read].sort()).toEqual(whole.sort());
    expect(restarts).toBeGreaterThan(0);
    expect(await readFile(service.logFile, "utf8")).not.toMatch(/401 Unauthorized|did not belong together/);
    expect(alpaca.failures).toEqual([]);
    expect(await lab.health("market-data-service")).toMatchObject({ alpaca: { key_id_last4: second.keyId.slice(-4) } });
    expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "ADOPT", generation: 1 });
  });
});
