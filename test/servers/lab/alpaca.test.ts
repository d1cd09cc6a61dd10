import { afterAll, beforeAll, expect, test } from "vitest";
import { type Alpaca, type AlpacaEnvironment, startAlpaca } from "../../../dev/lab/alpaca";
import type { AlpacaKey } from "../../../dev/lab/alpaca-state";
import { poll } from "../../../dev/lab/poll";

let alpaca: Alpaca;
beforeAll(async () => {
  alpaca = await startAlpaca();
});
afterAll(() => alpaca?.stop());

const ask = (environment: AlpacaEnvironment, { keyId, secretKey }: AlpacaKey, path = "/v2/account") =>
  fetch(`${environment.url}${path}`, { headers: { "APCA-API-KEY-ID": keyId, "APCA-API-SECRET-KEY": secretKey } });
const admin = (path: string, body: unknown) =>
  fetch(`${alpaca.adminUrl}/${path}`, { method: "POST", body: JSON.stringify(body) });

test("a key answers for its account in its environment alone, until it is deleted", async () => {
  const key = alpaca.paper.createKey();
  const account = await ask(alpaca.paper, key);
  expect(account.status).toBe(200);
  expect(await account.json()).toMatchObject({ account_number: key.account, status: "ACTIVE", buying_power: "100000" });
  expect((await ask(alpaca.live, key)).status).toBe(401);
  expect((await ask(alpaca.paper, { ...key, secretKey: "other" })).status).toBe(401);
  expect((await ask(alpaca.paper, { ...key, keyId: key.secretKey, secretKey: key.keyId })).status).toBe(401);
  const second = alpaca.paper.createKey();
  expect((await ask(alpaca.paper, second)).status).toBe(200);
  expect(alpaca.paper.deleteKey(key.keyId)).toBe(true);
  expect((await ask(alpaca.paper, key)).status).toBe(401);
  expect((await ask(alpaca.paper, second)).status).toBe(200);
});

test("further accounts, one of them suspended", async () => {
  const account = alpaca.live.createAccount({ status: "SUSPENDED" });
  const key = alpaca.live.createKey({ account: account.account_number });
  expect(await (await ask(alpaca.live, key)).json()).toMatchObject({
    account_number: account.account_number,
    status: "SUSPENDED",
  });
  expect(account.account_number).not.toBe(alpaca.live.createKey().account);
});

test("a key that becomes active later", async () => {
  const key = alpaca.paper.createKey({ activeAfterMs: 300 });
  expect((await ask(alpaca.paper, key)).status).toBe(401);
  await poll(async () => (await ask(alpaca.paper, key)).ok, { what: "an active key", limitMs: 60_000 });
});

test("the market opens and closes", async () => {
  const key = alpaca.paper.createKey();
  const clock = async () => (await ask(alpaca.paper, key, "/v2/clock")).json() as Promise<Record<string, string>>;
  expect(await clock()).toMatchObject({ is_open: false, next_open: expect.any(String) });
  alpaca.paper.setMarket(true);
  const open = await clock();
  expect(open.is_open).toBe(true);
  expect(Date.parse(open.next_close ?? "")).toBeGreaterThan(Date.parse(open.timestamp ?? ""));
  alpaca.paper.setMarket(false);
});

test("fails as it is told", async () => {
  const key = alpaca.paper.createKey();
  alpaca.paper.setFault({ status: 429, retryAfterSeconds: 2, times: 1 });
  const limited = await ask(alpaca.paper, key);
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "2"]);
  expect((await ask(alpaca.paper, key)).status).toBe(200);
  for (const status of [401, 403, 500] as const) {
    alpaca.paper.setFault({ status });
    expect((await ask(alpaca.paper, key)).status).toBe(status);
  }
  const other = alpaca.paper.createKey();
  alpaca.paper.setFault({ status: 401, keyId: other.keyId });
  expect((await ask(alpaca.paper, key)).status).toBe(200);
  expect((await ask(alpaca.paper, other)).status).toBe(401);
  alpaca.paper.setFault({ drop: true, times: 1 });
  await expect(ask(alpaca.paper, key)).rejects.toThrow();
  alpaca.paper.setFault({ slowMs: 200, times: 1 });
  const begin = performance.now();
  expect((await ask(alpaca.paper, key)).status).toBe(200);
  expect(performance.now() - begin).toBeGreaterThanOrEqual(190);
  expect(alpaca.paper.requests.at(-1)).toMatchObject({ path: "/v2/account", keyIdLast4: key.keyId.slice(-4) });
});

test("the dashboard for hands", async () => {
  const key = (await (await admin("live/create-key", {})).json()) as AlpacaKey;
  expect((await ask(alpaca.live, key)).status).toBe(200);
  expect(await (await admin("live/fault", { status: 500, times: 1 })).json()).toEqual({
    fault: { status: 500, times: 1 },
  });
  expect((await ask(alpaca.live, key)).status).toBe(500);
  expect((await admin("live/market", { open: true })).ok).toBe(true);
  expect(await (await ask(alpaca.live, key, "/v2/clock")).json()).toMatchObject({ is_open: true });
  expect(await (await admin("live/delete-key", { keyId: key.keyId })).json()).toEqual({ deleted: true });
  expect((await ask(alpaca.live, key)).status).toBe(401);
  expect((await admin("live/no-such", {})).status).toBe(404);
  expect((await fetch(`${new URL(alpaca.adminUrl).origin}/guess/live/create-key`, { method: "POST" })).status).toBe(
    404,
  );
});
