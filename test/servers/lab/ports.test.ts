import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, onFreePort } from "../../../dev/lab/ports";

test("a free port can be listened on, is given once, and is none that an outgoing connection gets", async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) expect(port).toBeLessThan(32_768);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(ports[0], "127.0.0.1", resolve);
  });
  server.close();
});

test("an address that is not this machine's is an error, not a port that is taken", async () => {
  await expect(freePort("192.0.2.1")).rejects.toThrow(/EADDRNOTAVAIL/);
});

test("a server whose port was taken in the meantime starts on another one; any other failure is told", async () => {
  const tried: number[] = [];
  const start = async (port: number) => {
    tried.push(port);
    if (tried.length < 3) throw new Error(`listen tcp 127.0.0.1:${port}: bind: address already in use`);
    return port;
  };
  expect(await onFreePort(start)).toBe(tried[2]);
  expect(new Set(tried).size).toBe(3);
  await expect(onFreePort(() => Promise.reject(new Error("no such program")))).rejects.toThrow("no such program");
});
