import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { startLoad } from "../../dev/lab/load";
import { advised } from "../advice/table";
import { shell } from "./advice";
import { rotation, unwrapped } from "./cli-support";
import { auditRows, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

/** The orchestrator reads the password and the pair; each of the two others reads one of them. */
describe("a password and a key pair that are due together, with shared restarts", () => {
  const bench = useBench({
    rotates: "both",
    labOptions: {
      services: [
        { name: "signal-service", database: "database/password" },
        { name: "orchestrator", database: "database/password", alpaca: true },
        { name: "execution-gateway", alpaca: true },
      ],
    },
  });
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts.map(({ service }) => service));
  const adopted = () => suppliedPair(ADOPTED_LABEL, bench().lab.adoptedAlpaca);
  let pair: ReturnType<typeof suppliedPair>;
  const held = async () => (await bench().lab.health("orchestrator")).database?.user;

  it("restart the service of both once, after both values are in the store, and nothing when they are turned on", {
    timeout: 600_000,
  }, async () => {
    const { lab, stack } = bench();
    await up(bench());
    expect(await held()).toBe("trader_b");
    const begun = restarts().length;
    await stack.configure("restarts", { shared: true });
    await up(bench());
    expect(restarts()).toHaveLength(begun);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    const load = await startLoad(lab, { loginsPerSecond: 30, alpacaPerSecond: 20 });
    pair = suppliedPair("paper-trading-2027-02-19", lab.alpaca.paper.createKey());
    await stack.configureSecret("alpacaKeys", alpacaKeys(pair, adopted()));
    await setDay(bench(), 89);
    await up(bench());
    expect(restarts().slice(begun).toSorted()).toEqual(["execution-gateway", "orchestrator", "signal-service"]);
    expect(await stored(bench(), "alpaca/api_key_id")).toMatchObject({ value: pair.keyId });
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ slots: [0, 1], active: 1 });
    expect(await lab.health("orchestrator")).toMatchObject({
      ...{ status: "healthy", database: { user: "trader_a" } },
      alpaca: { key_id_last4: pair.keyId.slice(-4) },
    });
    const { logins, alpaca } = await load.stop({ logins: 100, alpaca: 50 });
    expect([...logins.failures, ...alpaca.failures]).toEqual([]);
    expect((await auditRows(bench())).slice(-2).map(({ secret_name, action }) => [secret_name, action])).toEqual([
      ["database/password", "ROTATE"],
      [ALPACA_KEY, "ROTATE"],
    ]);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("change nothing if the preflight of one fails, and finish both with one restart in the next run", {
    timeout: 600_000,
  }, async () => {
    const { lab, stack } = bench();
    const begun = restarts().length;
    const next = suppliedPair("paper-trading-2027-05-20", lab.alpaca.paper.createKey());
    await stack.configureSecret("alpacaKeys", alpacaKeys(next, pair));
    await setDay(bench(), 179);
    // An external write to the pair's path, which this stack does not overwrite.
    const before = await stored(bench(), "alpaca/api_secret_key");
    await lab.store.put("alpaca/api_secret_key", "written-by-hand-0123456789");
    const stopped = await stack.pulumi(["up", "--yes", "--skip-preview"]);
    expect(stopped.exitCode).not.toBe(0);
    // The preflights of both come first: nothing was changed.
    expect(stopped.stdout + stopped.stderr).toContain("nothing was changed");
    expect(await held()).toBe("trader_a");
    expect(restarts()).toHaveLength(begun);
    await lab.store.put("alpaca/api_secret_key", before.value);
    await up(bench());
    expect(restarts().slice(begun).toSorted()).toEqual(["execution-gateway", "orchestrator", "signal-service"]);
    expect(await held()).toBe("trader_b");
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    pair = next;
  });

  it("are told truly when the second fails after the first value is written, and finished with one restart", {
    timeout: 600_000,
  }, async () => {
    const { lab, stack } = bench();
    const begun = restarts().length;
    const rows = (await auditRows(bench())).length;
    const next = suppliedPair("paper-trading-2027-08-18", lab.alpaca.paper.createKey());
    await stack.configureSecret("alpacaKeys", alpacaKeys(next, pair));
    await setDay(bench(), 269);
    const { version } = await stored(bench(), "database/password");
    lab.alpaca.paper.setFault({ status: 403, keyId: next.keyId });
    const stopped = await rotation(bench(), ["run", "--yes"]);
    expect(stopped.exitCode).not.toBe(0);
    const printed = stopped.stdout + stopped.stderr;
    const said = unwrapped(printed);
    expect(said).toContain("403 Forbidden");
    // The password is in the store, and no service has read it.
    expect((await stored(bench(), "database/password")).version).toBe(version + 1);
    expect(restarts()).toHaveLength(begun);
    expect(said).not.toMatch(/nothing was (written|changed)/i);
    expect(said).toContain("The pair was not written, and no service was restarted for it.");
    expect(await held()).toBe("trader_b");

    lab.alpaca.paper.setFault(undefined);
    const finished = await shell(bench(), advised("rotation run", printed));
    expect(finished.exitCode, finished.stdout + finished.stderr).toBe(0);
    expect(restarts().slice(begun).toSorted()).toEqual(["execution-gateway", "orchestrator", "signal-service"]);
    expect(await held()).toBe("trader_a");
    expect((await stored(bench(), "database/password")).version).toBe(version + 1);
    const [first, second] = (await auditRows(bench())).filter(({ status }) => status === "SUCCESS").slice(-2);
    expect([first?.secret_name, first?.action, second?.secret_name, second?.action]).toEqual([
      ...["database/password", "ROTATE"],
      ...[ALPACA_KEY, "ROTATE"],
    ]);
    expect((await auditRows(bench())).length).toBeGreaterThan(rows + 2);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });
});
