import { createConnection, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startTcpProxy, type TcpProxy } from "../../../dev/lab/tcp-proxy";

let server: Server;
let proxy: TcpProxy;
/** What really reached the server. */
const reached: string[] = [];
const open: Socket[] = [];

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      reached.push(String(data));
      socket.write(`echo ${data}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  proxy = await startTcpProxy({ host: "127.0.0.1", port: typeof address === "object" && address ? address.port : 0 });
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  reached.splice(0);
  proxy.watch(undefined);
  await proxy.setFault(undefined);
});
afterAll(async () => {
  await proxy?.stop();
  await new Promise((resolve) => server.close(resolve));
});

/** A new connection that sends a text; resolves with the first answer. */
function ask(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: proxy.host, port: proxy.port }, () => void socket.write(text));
    open.push(socket);
    socket.once("data", (data) => resolve(String(data)));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  });
}

test("passes on both ways", async () => {
  expect(await ask("hello")).toBe("echo hello");
});

test("refuses, and cuts what is open; listens on the same port again", async () => {
  await ask("hello");
  const cut = new Promise((resolve) => open[0]?.once("close", resolve));
  await proxy.setFault("refuse");
  await cut;
  await expect(ask("hello")).rejects.toThrow("ECONNREFUSED");
  await proxy.setFault(undefined);
  expect(await ask("again")).toBe("echo again");
});

test("takes a connection and says nothing", async () => {
  await proxy.setFault("hang");
  const answer = ask("hello").then(String, () => "cut");
  const silence = new Promise((resolve) => setTimeout(() => resolve("silence"), 300));
  expect(await Promise.race([answer, silence])).toBe("silence");
  expect(reached).toEqual([]);
  open[0]?.destroy();
  expect(await answer).toBe("cut");
});

test("cuts what comes", async () => {
  await proxy.setFault("cut");
  await expect(ask("hello")).rejects.toThrow();
});

test("answers later", async () => {
  await proxy.setFault({ delayMs: 200 });
  const begin = performance.now();
  expect(await ask("hello")).toBe("echo hello");
  expect(performance.now() - begin).toBeGreaterThan(190);
});

test("does something once, before what is waited for reaches the server", async () => {
  const seen: string[][] = [];
  proxy.watch({ when: (sent) => sent.includes("DROP"), run: () => seen.push([...reached]) });
  await ask("SELECT");
  await ask("DROP");
  await ask("DROP again");
  expect(seen).toEqual([["SELECT"]]);
  expect(reached).toEqual(["SELECT", "DROP", "DROP again"]);
});
