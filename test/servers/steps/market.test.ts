import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkMarket } from "../../../components/preflight/market";
import type { StoreClient } from "../../../stores/store";

const MINUTES = 60_000;
const store = { read: async () => ({ value: "pair", version: "1" }) } as unknown as StoreClient;

let server: Server;
let baseUrl: string;
let answer: { status: number; body: string };
const paths: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer(({ url }, response) => {
    paths.push(url);
    response.writeHead(answer.status, { location: "/elsewhere" }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const ask = (status: number, body: unknown, { takes = 5 * MINUTES, allowOpen = false } = {}) => {
  answer = { status, body: typeof body === "string" ? body : JSON.stringify(body) };
  return checkMarket({ baseUrl }, store, allowOpen, takes);
};
const at = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
const closed = (opensIn: number) => ({ timestamp: at(0), is_open: false, next_open: at(opensIn), next_close: at(9e7) });

it("takes a market for closed that stays so while the rotation runs", async () => {
  expect(await ask(200, closed(10 * MINUTES))).toMatch(/^closed until 20/);
});

it.each([
  [20_000, 5 * MINUTES, /^the market is closed, and opens at 20\S+, in \d+s, and a rotation may take 5m; wait until/],
  [4 * MINUTES, 10 * MINUTES, /in 4m, and a rotation may take 10m; wait until it is closed again, or set preflight/],
])("refuses one that opens in %i ms, where a rotation may take %i ms", async (opensIn, takes, says) => {
  await expect(ask(200, closed(opensIn), { takes })).rejects.toThrow(says);
  expect(await ask(200, closed(opensIn), { takes, allowOpen: true })).toMatchObject({
    override: expect.stringMatching(/^allowOpenMarket: the market was closed, and opens at 20/),
  });
});

it.each([
  [200, {}],
  [200, []],
  [200, { message: "maintenance" }],
  [200, "<html>maintenance</html>"],
  [204, ""],
  [200, { ...closed(9e6), is_open: "false" }],
])("refuses an answer that says nothing of it: HTTP %i %j", async (status, body) => {
  const says = /^Alpaca's clock at http:\S+ gives no market hours: expected `is_open`.*, found .*; try again/;
  await expect(ask(status, body)).rejects.toThrow(says);
  expect(await ask(status, body, { allowOpen: true })).toMatchObject({
    override: expect.stringMatching(/^allowOpenMarket: market hours not known: /),
  });
});

it("carries the pair nowhere else", async () => {
  paths.length = 0;
  await expect(ask(302, "")).rejects.toThrow("does not answer: 302");
  expect(paths).toEqual(["/v2/clock"]);
});

it("takes the pair from the keys of one document", async () => {
  answer = { status: 200, body: JSON.stringify(closed(10 * MINUTES)) };
  const document = JSON.stringify({ id: "PK1", secret: "s1" });
  const one = { read: async () => ({ document, version: "1" }) } as unknown as StoreClient;
  const clock = { baseUrl, keyIdPath: "alpaca/pair", secretKeyPath: "alpaca/pair" };
  expect(await checkMarket({ ...clock, keys: ["id", "secret"] }, one, false, 0)).toMatch(/^closed until 20/);
  await expect(checkMarket({ ...clock, keys: ["id", "other"] }, one, false, 0)).rejects.toThrow(
    /no Alpaca pair in the store/,
  );
});
