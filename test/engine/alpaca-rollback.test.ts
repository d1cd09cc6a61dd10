import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { startLoad } from "../../dev/lab/load";
import { poll } from "../../dev/lab/poll";
import { readPair, storeReader } from "../../dev/lab/services/store";
import { inShell } from "../advice/shell";
import { advised } from "../advice/table";
import { shellEnvironment } from "./advice";
import { auditRows, refusedUp, stateOf, stored, up, useBench } from "./harness";

const READERS = ["execution-gateway", "market-data-service", "orchestrator"];

describe("an Alpaca pair while it is written, and its rollback", () => {
  const bench = useBench({ rotates: "alpaca" });
  const paper = () => bench().lab.alpaca.paper;
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts.map(({ service }) => service));
  const adopted = () => suppliedPair(ADOPTED_LABEL, bench().lab.adoptedAlpaca);
  let second: ReturnType<typeof suppliedPair>;
  const request = (id: string, activate: number) =>
    bench().stack.configure("request", { id, secret: ALPACA_KEY, activate, reason: "orders are rejected" });

  beforeAll(async () => {
    second = suppliedPair("paper-trading-2026-11-23", paper().createKey());
    await bench().stack.configureSecret("alpacaKeys", alpacaKeys(second, adopted()));
  });

  it("is never mixed, whenever it is read and a service restarts, while an update adopts and rotates at once", async () => {
    const { lab, stack } = bench();
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
    let restarted = 0;
    let restarting: Promise<void> | undefined;
    // From the moment at which the preflight has found it healthy, until the rollout wants it to stay up.
    const restart = async () => {
      for (; !rollsOut; restarted++) {
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
    const { alpaca } = await load.stop({ alpaca: 20 });
    expect(alpaca.failures).toEqual([]);

    const whole = [adopted(), second].map(({ keyId, secretKey }) => `${keyId} ${secretKey}`);
    expect([...read].sort()).toEqual(whole.sort());
    expect(restarted).toBeGreaterThan(0);
    expect(await readFile(service.logFile, "utf8")).not.toMatch(/401 Unauthorized|did not belong together/);
    expect(await lab.health("market-data-service")).toMatchObject({ alpaca: { key_id_last4: second.keyId.slice(-4) } });
    // The pair in use was given as previous.
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ slots: [0, 1], active: 1 });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([["ADOPT", 1]]);
    expect((await stored(bench(), "alpaca/api_secret_key")).value).toBe(second.secretKey);
    const others = restarts().filter((name) => name !== "market-data-service");
    expect(others).toEqual(["execution-gateway", "orchestrator"]);
    expect(restarts()).toHaveLength(READERS.length + restarted);
  });

  it("returns in under a minute, restarts included, also while the market is open and a service is ill", async () => {
    const before = restarts().length;
    const load = await startLoad(bench().lab, { alpacaPerSecond: 5 });
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
    expect(restarts().slice(before)).toEqual(READERS);
    for (const reader of READERS) {
      const { alpaca } = await bench().lab.health(reader);
      expect(alpaca).toMatchObject({ key_id_last4: adopted().keyId.slice(-4), generation: "0" });
    }
    const { alpaca } = await load.stop({ alpaca: 50 });
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

    // What it names instead.
    const env = await shellEnvironment(bench());
    const given = (line: string, input = "") => inShell(line, { cwd: bench().stack.projectDir, env, input });
    expect(await given(advised("pulumi config rm request", message))).toMatchObject({ code: 0 });
    const third = suppliedPair("paper-trading-2026-11-25", paper().createKey());
    const supplied = await given(advised("rotation alpaca add-key", message), JSON.stringify(third));
    expect(supplied).toMatchObject({ code: 0 });
    const ran = await given(`${advised("rotation run", supplied.said)} --yes`);
    expect(ran.code, ran.said).toBe(0);
    expect((await stored(bench(), "alpaca/api_key_id")).value).toBe(third.keyId);
  });
});
