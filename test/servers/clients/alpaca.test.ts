import { createServer, type Server } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AlpacaUnavailableError, askAccount } from "../../../clients/alpaca";
import { type Alpaca, startAlpaca } from "../../../dev/lab/alpaca";
import type { AlpacaFault, AlpacaKey } from "../../../dev/lab/alpaca-state";
import { freePort } from "../../../dev/lab/ports";

let alpaca: Alpaca;
let key: AlpacaKey;
beforeAll(async () => {
  alpaca = await startAlpaca();
  key = alpaca.paper.createKey();
});
afterEach(() => alpaca.paper.setFault(undefined));
afterAll(() => alpaca?.stop());

const ask = (limit = 20_000, timeout = 10_000) => askAccount(alpaca.paper.url, key, { limit, timeout });
/** What an asking costs: its answer and how many requests it made. */
async function requests(work: () => Promise<unknown>): Promise<number> {
  const before = alpaca.paper.requests.length;
  await work();
  return alpaca.paper.requests.length - before;
}

describe("GET /v2/account", () => {
  it("answers with number and status of the account", async () => {
    expect(await ask()).toEqual({ status: 200, account: { number: key.account, status: "ACTIVE" } });
  });

  it.each<[string, AlpacaFault]>([
    ["500", { status: 500, times: 2 }],
    ["503", { status: 503, times: 2 }],
    ["429 without a time", { status: 429, times: 2 }],
    ["a dropped connection", { drop: true, times: 2 }],
  ])("tries again after %s", async (_, fault) => {
    alpaca.paper.setFault(fault);
    expect(await requests(async () => expect((await ask()).status).toBe(200))).toBe(3);
  });

  it("tries again after a slow answer", async () => {
    alpaca.paper.setFault({ slowMs: 15_000, times: 1 });
    expect((await ask(20_000, 1500)).status).toBe(200);
  });

  it("waits as long as Retry-After says", async () => {
    alpaca.paper.setFault({ status: 429, retryAfterSeconds: 1, times: 1 });
    const begin = performance.now();
    expect((await ask()).status).toBe(200);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
  });

  it.each([401, 403] as const)("takes %s for an answer, after one request", async (status) => {
    alpaca.paper.setFault({ status });
    expect(await requests(async () => expect(await ask()).toEqual({ status }))).toBe(1);
  });

  it("gives up at its limit and says what it found, with no pair in it", async () => {
    alpaca.paper.setFault({ status: 503 });
    const error = await ask(2500).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AlpacaUnavailableError);
    expect(String(error)).toMatch(
      /expected http:\/\/127\.0\.0\.1:\d+\/v2\/account to answer 200, found 503 .*\(asked \d times in \d s\)/,
    );
    expect(String(error)).not.toContain(key.keyId);
    expect(String(error)).not.toContain(key.secretKey);
  });

  it("does not wait for a Retry-After beyond its limit", async () => {
    alpaca.paper.setFault({ status: 429, retryAfterSeconds: 600 });
    expect(await requests(() => expect(ask(1000)).rejects.toThrow(/found 429 .*asked once/))).toBe(1);
  });

  it("names a host that is not there", async () => {
    await expect(askAccount(`http://127.0.0.1:${await freePort()}`, key, { limit: 300 })).rejects.toThrow(
      /found .*ECONNREFUSED/,
    );
  });
});

describe("another writer in between", () => {
  let other: Server;
  const seen: string[] = [];
  let reply: { status: number; headers?: Record<string, string>; body: string };
  const url = () => `http://127.0.0.1:${(other.address() as { port: number }).port}`;
  beforeAll(async () => {
    other = createServer((request, response) => {
      seen.push(request.url ?? "");
      response.writeHead(reply.status, reply.headers).end(reply.body);
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => new Promise((resolve) => other?.close(resolve)));

  it("is not followed with the pair", async () => {
    reply = { status: 302, headers: { location: `${url()}/elsewhere` }, body: "" };
    await expect(askAccount(url(), key, { tries: 1 })).rejects.toThrow(AlpacaUnavailableError);
    expect(seen).not.toContain("/elsewhere");
  });

  it("is not believed when it answers 200 with something else", async () => {
    for (const body of ["<html>It works!</html>", "{}", '{"account_number":5,"status":"ACTIVE"}']) {
      reply = { status: 200, body };
      await expect(askAccount(url(), key, { tries: 1 })).rejects.toThrow(/found 200 without an account number/);
    }
  });
});
