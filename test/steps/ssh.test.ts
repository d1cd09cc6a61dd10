import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { generateSshKeys } from "../../lab/ssh-keys";
import { withHost } from "../../steps/ssh";

/** Takes connections and never says a word, as a host that is out of memory does. */
const silent = createServer((socket) => socket.resume());

beforeAll(() => once(silent.listen(0, "127.0.0.1"), "listening"));
afterAll(() => {
  silent.close();
});

const reach = (privateKey: string) => {
  const { port } = silent.address() as AddressInfo;
  const { public: hostKey } = generateSshKeys();
  return withHost("trading-1", { address: "127.0.0.1", port, user: "deploy", hostKey }, privateKey, () =>
    Promise.resolve("reached"),
  );
};

it("gives up on a host that never answers, once: its closing socket does not end the process", {
  timeout: 60_000,
}, async () => {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on("uncaughtException", note);
  await expect(reach(generateSshKeys().private)).rejects.toThrow(
    /^deploy@127\.0\.0\.1:\d+ \(hosts\.trading-1\) cannot be reached: Timed out while waiting for handshake\. Try it by hand: ssh -p \d+ deploy@127\.0\.0\.1$/,
  );
  const connections = () => new Promise<number>((resolve) => silent.getConnections((_, count) => resolve(count)));
  await expect.poll(connections).toBe(0);
  process.off("uncaughtException", note);
  expect(uncaught).toEqual([]);
});

it("says that a key is none before anything is sent", async () => {
  const { publicKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ type: "spki", format: "pem" }).toString();
  await expect(reach(key)).rejects.toThrow(/^sshPrivateKey cannot be read: /);
});
