import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunScript } from "../../../clients/shell";
import { withHost } from "../../../clients/ssh";
import { generateSshKeys } from "../../../dev/lab/ssh-keys";
import { type SshServer, startSshServer } from "../../../dev/lab/ssh-server";
import { startTcpProxy, type TcpProxy } from "../../../dev/lab/tcp-proxy";

describe("a host that takes connections and never says a word, as one that is out of memory does", () => {
  const silent = createServer((socket) => socket.resume());
  beforeAll(() => once(silent.listen(0, "127.0.0.1"), "listening"));
  afterAll(() => {
    silent.close();
  });

  const reach = (privateKey: string, attempts?: number, marker = "") => {
    const { port } = silent.address() as AddressInfo;
    const hostKey = `${marker}${generateSshKeys().public}`;
    const host = { address: "127.0.0.1", port, user: "deploy", hostKey };
    return withHost("trading-1", host, privateKey, () => Promise.resolve("reached"), attempts);
  };

  it("is given up, once: its closing socket does not end the process", { timeout: 60_000 }, async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown) => uncaught.push(error);
    process.on("uncaughtException", note);
    await expect(reach(generateSshKeys().private)).rejects.toThrow(
      /^deploy@127\.0\.0\.1:\d+ \(hosts\.trading-1\) cannot be reached: Timed out while waiting for handshake\. Try it by hand: `ssh -p \d+ deploy@127\.0\.0\.1`$/,
    );
    const connections = () => new Promise<number>((resolve) => silent.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
    process.off("uncaughtException", note);
    expect(uncaught).toEqual([]);
  });

  it("is given up too if it is asked for its certificate", { timeout: 60_000 }, async () => {
    await expect(reach(generateSshKeys().private, 1, "@cert-authority * ")).rejects.toThrow(
      /\(hosts\.trading-1\) cannot be reached: it sent nothing\. Try it by hand/,
    );
    const connections = () => new Promise<number>((resolve) => silent.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
  });

  it("is not even asked with a key that is none", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    const key = publicKey.export({ type: "spki", format: "pem" }).toString();
    await expect(reach(key, 3)).rejects.toThrow(/^sshPrivateKey cannot be read: /);
  });
});

describe("a script on a host", () => {
  const keys = { host: generateSshKeys(), client: generateSshKeys() };
  let home: string;
  let server: SshServer;
  let proxy: TcpProxy;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "ssh-home-"));
    server = await startSshServer({
      address: "127.0.0.1",
      user: "deploy",
      hostPrivateKey: keys.host.private,
      authorizedKey: keys.client.public,
      env: { PATH: process.env.PATH, HOME: home },
      cwd: home,
    });
    proxy = await startTcpProxy({ host: "127.0.0.1", port: server.port });
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
    await rm(home, { recursive: true });
  });

  const on = <T>(use: (run: RunScript) => Promise<T>, hostKey: string | string[] = keys.host.public) =>
    withHost(
      "trading-1",
      { address: "127.0.0.1", port: proxy.port, user: "deploy", hostKey },
      keys.client.private,
      use,
    );
  const run = (script: string, limit = 30_000) => on((shell) => shell(script, limit));
  const greet = (text: string) => writeFile(join(home, ".bashrc"), text);

  it("gives its own output and exit status", async () => {
    expect(await run("echo out; echo err >&2; exit 3")).toEqual({ status: 3, output: "out\nerr\n" });
    expect(await run("printf 'no end of line'")).toEqual({ status: 0, output: "no end of line" });
    expect(await run("true")).toEqual({ status: 0, output: "" });
    expect(await run("cat; echo read")).toEqual({ status: 0, output: "read\n" });
    expect(await run("kill -9 $$")).toMatchObject({ output: "" });
  });

  it.each([
    ["a greeting", "echo 'Welcome! ERROR: 401 password authentication failed'; echo ERROR >&2"],
    ["a greeting without an end of line", "printf 'Welcome'"],
    ["a goodbye", "trap 'echo Goodbye ERROR' EXIT"],
    ["marks of another script", "echo '0123 begins'; echo '0123 ends 0'"],
    ["binary noise", "printf '\\377\\376\\0'"],
  ])("never takes %s of the login shell for its own", async (_, bashrc) => {
    await greet(bashrc);
    expect(await run("echo mine; exit 4")).toEqual({ status: 4, output: "mine\n" });
    expect(await run("true")).toEqual({ status: 0, output: "" });
    await greet("");
  });

  it("is said not to run if the login shell does not let it", async () => {
    await greet("echo 'This account is not available.'; exit 1");
    await expect(run("echo mine")).rejects.toThrow(
      /^deploy@127\.0\.0\.1:\d+ \(hosts\.trading-1\) does not run \/bin\/sh for deploy: its login shell ended with status 1$/,
    );
    await greet("");
  });

  it("is found at the end of an output of any length", async () => {
    const { status, output } = await run("yes 0123456789 | head -c 20000000; echo; echo the end; exit 5", 120_000);
    expect(status).toBe(5);
    expect(output.length).toBeLessThan(10_000_000);
    expect(output).toMatch(/^0123456789\n/);
    expect(output).toMatch(/the end\n$/);
  });

  it("ends at its limit", async () => {
    expect(await run("echo begun; sleep 600", 1000)).toEqual({ status: null, output: "" });
  });

  it("has another connection if the first broke", { timeout: 120_000 }, async () => {
    await on(async (shell) => {
      expect(await shell("echo 1", 30_000)).toMatchObject({ output: "1\n" });
      await proxy.setFault("refuse");
      await expect(shell("echo 2", 30_000)).rejects.toThrow(/the connection broke|cannot be reached|runs no command/);
      await proxy.setFault(undefined);
      expect(await shell("echo 3", 30_000)).toMatchObject({ output: "3\n" });
    });
  });

  it("fails in time if the host falls silent in the middle", { timeout: 120_000 }, async () => {
    const began = performance.now();
    await on(async (shell) => {
      const running = shell("sleep 600", 600_000);
      await shell("true", 30_000);
      await proxy.setFault("hang");
      await expect(running).rejects.toThrow(/the connection broke, or the host stopped answering/);
    });
    expect(performance.now() - began).toBeLessThan(60_000);
    await proxy.setFault(undefined);
  });

  it("takes any of the host's keys that the config names, and no other", async () => {
    const other = generateSshKeys().public;
    expect(await on((shell) => shell("echo 1", 30_000), [other, keys.host.public])).toMatchObject({ status: 0 });
    await expect(on(() => Promise.resolve(), other)).rejects.toThrow("shows another key than hosts.trading-1.hostKey");
    await expect(on(() => Promise.resolve(), "ssh-rsa AAAA")).rejects.toThrow(
      /has no key of the type ssh-rsa, which hosts\.trading-1\.hostKey names; .*`ssh-keyscan -p \d+ 127\.0\.0\.1`$/,
    );
  });
});
