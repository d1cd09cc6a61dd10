import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FaultProxy, startFaultProxy } from "../../../dev/lab/fault-proxy";
import { type HttpServer, readBody, startHttp } from "../../../dev/lab/http";

let server: HttpServer;
let proxy: FaultProxy;
/** What really reached the server. */
const reached: string[] = [];

beforeAll(async () => {
  server = await startHttp(async (request, response) => {
    const body = await readBody(request);
    reached.push(`${request.method} ${request.url} ${body}`);
    response.writeHead(201, { "x-from": "server" }).end(`${request.headers["x-mine"]}:${body}`);
  });
  proxy = await startFaultProxy(server.url);
});
afterEach(() => {
  proxy.clear();
  reached.splice(0);
});
afterAll(() => Promise.all([proxy?.stop(), server?.stop()]));

const post = (path: string, body = "a body") =>
  fetch(`${proxy.url}${path}`, { method: "POST", body, headers: { "x-mine": "header" } });

test("passes requests and answers on as they are", async () => {
  const answer = await post("/a?b=1");
  expect([answer.status, answer.headers.get("x-from"), await answer.text()]).toEqual([201, "server", "header:a body"]);
  expect(reached).toEqual(["POST /a?b=1 a body"]);
  expect(proxy.requests.at(-1)).toMatchObject({ method: "POST", path: "/a?b=1" });
});

test("answers itself for the requests that a rule meets, and only so often", async () => {
  const rule = proxy.inject({
    when: ({ path }, body) => path === "/write" && body === "a body",
    after: 1,
    times: 2,
    fault: { status: 429, headers: { "retry-after": "1" }, body: "slow down" },
  });
  expect((await post("/read")).status).toBe(201);
  const statuses = [];
  for (let count = 0; count < 4; count++) statuses.push((await post("/write")).status);
  expect(statuses).toEqual([201, 429, 429, 201]);
  expect(rule.met()).toBe(2);
  expect(reached).toHaveLength(3);
});

test("breaks the connection before the server is asked, or after it has done its work", async () => {
  proxy.inject({ times: 1, fault: { drop: "request" } });
  proxy.inject({ times: 1, fault: { drop: "answer" } });
  await expect(post("/one")).rejects.toThrow();
  expect(reached).toEqual([]);
  await expect(post("/two")).rejects.toThrow();
  expect(reached).toEqual(["POST /two a body"]);
  expect((await post("/three")).status).toBe(201);
});

test("holds an answer back", async () => {
  proxy.inject({ fault: { delayMs: 200 } });
  await expect(fetch(`${proxy.url}/slow`, { signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/);
  expect((await post("/slow")).status).toBe(201);
});

test("does something first, before the server is asked", async () => {
  const seen: number[] = [];
  proxy.inject({ times: 1, fault: { first: async () => seen.push(reached.length) } });
  expect((await post("/one")).status).toBe(201);
  expect([seen, reached]).toEqual([[0], ["POST /one a body"]]);
});

test("is a broken connection if the server is down", async () => {
  const gone = await startHttp((_, response) => void response.end());
  await gone.stop();
  const lonely = await startFaultProxy(gone.url);
  try {
    await expect(fetch(lonely.url)).rejects.toThrow();
  } finally {
    await lonely.stop();
  }
});
