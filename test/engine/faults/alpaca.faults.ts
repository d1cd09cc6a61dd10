import { appendFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { AlpacaFault, NewKey } from "../../../dev/lab/alpaca-state";
import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../../dev/lab/deploy";
import { ALPACA_KEY } from "../../../dev/lab/lab";
import { poll } from "../../../dev/lab/poll";
import { auditRows, type Bench, refusedUp, setDay, startBench, stateOf, stored, up } from "../harness";

interface AlpacaCase {
  readonly sample?: true;
  /** Of the new pair's requests. */
  readonly fault?: AlpacaFault;
  /** Of the services' requests too, which makes them unhealthy. */
  readonly everybody?: true;
  /** How the new key is made. */
  readonly key?: NewKey;
  readonly says: readonly RegExp[];
}

const NOTHING = /The pair was not written, and no service was restarted for it\./;
const LATER = /; try again later/;

const CASES: Record<string, AlpacaCase> = {
  "answers 401": { fault: { status: 401 }, says: [/found 401 Unauthorized still after 1 s/, NOTHING] },
  "answers 403": {
    sample: true,
    fault: { status: 403 },
    says: [/found 403 Forbidden: Alpaca knows the key and denies it/, NOTHING],
  },
  "answers 429": {
    fault: { status: 429, retryAfterSeconds: 1 },
    says: [/found 429 Too Many Requests \(asked \d+ times/, LATER],
  },
  "answers 500": { fault: { status: 500 }, says: [/found 500 Internal Server Error \(asked \d+ times/, LATER] },
  "is slow": { fault: { slowMs: 15_000 }, says: [/found no answer in time \(asked \d+ times/, LATER] },
  "drops the connection": { fault: { drop: true }, says: [/to answer 200, found .* \(asked \d+ times/, LATER] },
  "refuses the services too": {
    fault: { status: 401 },
    everybody: true,
    says: [/not healthy before the start: execution-gateway \(its answer: .*401 Unauthorized/, /nothing was changed/],
  },
  "has not activated the key": {
    key: { activeAfterMs: 3_600_000 },
    says: [/found 401 Unauthorized still after 1 s/, NOTHING],
  },
};

const chosen = Object.entries(CASES).filter(([, { sample }]) => process.env.FAULTS === "all" || sample);

describe("Alpaca: faults while a new pair is due", () => {
  let bench: Bench;
  let current = "";
  beforeAll(async () => {
    // Market hours are asked of Alpaca as well; here the pair shall be what fails.
    bench = await startBench({ rotates: "alpaca", config: { preflight: { allowOpenMarket: true } } });
    const { paper, live } = bench.lab.alpaca;
    await bench.stack.configure("alpaca", { baseUrl: paper.url, otherUrl: live.url, activationWait: "1s" });
    await up(bench);
    current = JSON.stringify(suppliedPair(ADOPTED_LABEL, bench.lab.adoptedAlpaca));
  });
  afterAll(() => bench?.lab.stop());

  it.each(chosen)("%s", async (name, { fault, everybody, key, says }) => {
    const begun = performance.now();
    const { lab, stack } = bench;
    const month = String(chosen.findIndex(([candidate]) => candidate === name) + 1).padStart(2, "0");
    await setDay(bench, 31 * Number(month));
    const supply = async (options?: NewKey) => {
      const pair = suppliedPair(`paper-trading-2027-${month}-01`, lab.alpaca.paper.createKey(options));
      await stack.configureSecret("alpacaKeys", alpacaKeys(pair, JSON.parse(current)));
      return pair;
    };
    let pair = await supply(key);
    const before = await known();
    lab.alpaca.paper.setFault(fault && { ...fault, ...(everybody ? {} : { keyId: pair.keyId }) });
    if (everybody) {
      const unhealthy = async () => (await lab.health("execution-gateway")).status === "unhealthy";
      await poll(unhealthy, { what: "execution-gateway unhealthy", limitMs: 200_000 });
    }
    const message = await refusedUp(bench);
    lab.alpaca.paper.setFault(undefined);
    if (process.env.SHOW) console.log(message);
    for (const text of says) expect(message).toMatch(text);
    expect(message).not.toContain(pair.keyId.slice(0, -4));
    expect(await known()).toEqual(before);

    if (key !== undefined) pair = await supply();
    await lab.healthy();
    await up(bench);
    current = JSON.stringify(pair);
    const state = await stateOf(bench, ALPACA_KEY);
    expect(state?.slots[state.active]).toBe(before.generation + 1);
    expect((await stored(bench, "alpaca/api_key_id")).value).toBe(pair.keyId);
    expect((await auditRows(bench)).slice(before.rows).map(({ action }) => action)).toEqual(["ROTATE"]);
    const line = { system: "Alpaca", name, seconds: (performance.now() - begun) / 1000 };
    await appendFile(inject("faultReport"), `${JSON.stringify(line)}\n`);
  });

  /** All that a refused pair must leave as it is. */
  async function known() {
    const state = await stateOf(bench, ALPACA_KEY);
    return {
      generation: Number(state?.slots[state.active]),
      id: await bench.lab.store.get("alpaca/api_key_id"),
      secret: await bench.lab.store.get("alpaca/api_secret_key"),
      restarts: bench.lab.hosts.map(({ restarts }) => restarts.length),
      rows: (await auditRows(bench)).length,
    };
  }
});
