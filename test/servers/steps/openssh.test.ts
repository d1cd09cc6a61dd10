import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunScript } from "../../../clients/shell";
import { ForwardError, type HostReference, withHost } from "../../../clients/ssh";
import type { SshKey } from "../../../core/ssh-key";
import { poll } from "../../../dev/lab/poll";
import { inShell } from "../../advice/shell";
import { advised } from "../../advice/table";
import { hasSshd, Sshd } from "../lab/sshd";

const TYPES = ["rsa", "ecdsa", "ed25519"] as const;

describe.runIf(hasSshd)("OpenSSH's server, with keys of three types", () => {
  const server = new Sshd();
  const { file, read, write } = server;
  const start: Sshd["start"] = (...args) => server.start(...args);
  const stop = () => server.stop();

  beforeAll(() => {
    for (const type of TYPES) server.keygen(type, `host-${type}`);
    server.keygen("ed25519", "other");
    for (const type of ["ed25519", "rsa"]) server.keygen(type, `client-${type}`);
    write("authorized", `${read("client-ed25519.pub")}${read("client-rsa.pub")}`);
  });
  afterAll(() => server.remove());

  const at = () => ({ address: server.address, port: server.port, user: server.user });
  const on = <T>(hostKey: string | string[], use: (run: RunScript) => Promise<T>, client = "client-ed25519") =>
    withHost("trading-1", { ...at(), hostKey }, read(client), use);
  const echo = (run: RunScript) => run("echo mine", 30_000);

  it("takes whichever of them the config names, with keys of either type", async () => {
    await start(TYPES.map((type) => `host-${type}`));
    for (const type of TYPES) {
      expect(await on(read(`host-${type}.pub`), echo), type).toEqual({ status: 0, output: "mine\n" });
    }
    // A key of before and the one of now, of one type.
    expect(await on([read("other.pub"), read("host-ed25519.pub")], echo)).toMatchObject({ status: 0 });
    expect(await on(read("host-rsa.pub"), echo, "client-rsa")).toMatchObject({ status: 0 });
    // A wrong key is not made up for by a right one of another type.
    for (const wrong of [read("other.pub"), [read("other.pub"), read("host-ecdsa.pub")]])
      await expect(on(wrong, echo)).rejects.toThrow("shows another key than hosts.trading-1.hostKey");
    await stop();
  });

  it("is said to have no key of a type, and is not taken for another host", async () => {
    await start(["host-rsa"]);
    const refused = String(await on(read("host-ed25519.pub"), echo).catch(String));
    expect(refused).toMatch(/has no key of the type ssh-ed25519, which hosts\.trading-1\.hostKey names; /);
    const { said } = await inShell(advised("ssh-keyscan", refused));
    const [, scanned = ""] = /^\S+ (ssh-rsa \S+)$/m.exec(said) ?? [];
    expect(await on(scanned, echo)).toEqual({ status: 0, output: "mine\n" });
    await stop();
  });

  it("that cannot be reached is tried by hand, and answers there once it can", async () => {
    await start(["host-ed25519"]);
    await stop();
    const unreached = String(await on(read("host-ed25519.pub"), echo).catch(String));
    await start(["host-ed25519"], [], server.port);
    // The operator's own key, and a file of their own for what it is known by.
    const own = `-i ${file("client-ed25519")} -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${file("known")}`;
    const command = advised("ssh", unreached).replace(/^ssh /, `ssh -F none ${own} `);
    expect(await inShell(command, { input: "echo mine" })).toMatchObject({
      code: 0,
      said: expect.stringContaining("mine"),
    });
    await stop();
  });

  it("may greet as it likes: by a banner, by the login shell, on both streams", async () => {
    write("banner", "Authorized use only. ERROR\n");
    write("greeting", "echo 'Welcome, ERROR 401'; echo ERROR >&2; trap 'echo bye' EXIT\n");
    await start(["host-ed25519"], [`Banner ${file("banner")}`, `SetEnv BASH_ENV=${file("greeting")}`]);
    const { status, output } = await on(read("host-ed25519.pub"), (run) => run("echo mine; exit 3", 30_000));
    expect({ status, output }).toEqual({ status: 3, output: "mine\n" });
    await stop();
  });

  it("that lets the account run one command of its own says so", async () => {
    await start(["host-ed25519"], ["ForceCommand echo no shell for you; exit 1"]);
    await expect(on(read("host-ed25519.pub"), echo)).rejects.toThrow(/does not run \/bin\/sh for .*: .* status 1$/);
    await stop();
  });

  it("is reached through a bastion, also through two; each shows its own key", async () => {
    await start(["host-ed25519"]);
    const target = { ...at(), hostKey: read("host-ed25519.pub") };
    const bastion = { ...target, name: "bastion" };
    const key = read("client-ed25519");
    const through = (host: HostReference) =>
      withHost("trading-1", host, key, (run) => run("echo $SSH_CONNECTION", 30_000));
    const one = await through({ ...target, proxy: bastion });
    expect(one).toMatchObject({ status: 0, output: expect.stringMatching(/^127\.0\.0\.1 /) });
    const two = await through({ ...target, proxy: { ...bastion, proxy: { ...bastion, name: "outer" } } });
    expect(two).toMatchObject({ status: 0 });
    const wrong = { ...bastion, hostKey: read("other.pub") };
    await expect(through({ ...target, proxy: wrong })).rejects.toThrow("shows another key than hosts.bastion.hostKey");
    await expect(through({ ...target, hostKey: read("other.pub"), proxy: bastion })).rejects.toThrow(
      "shows another key than hosts.trading-1.hostKey",
    );
    await expect(through({ ...target, port: 9, proxy: bastion })).rejects.toThrow(
      /127\.0\.0\.1:9 \(hosts\.trading-1\) cannot be reached through hosts\.bastion: .*AllowTcpForwarding/,
    );
    await stop();
    await start(["host-ed25519"], ["AllowTcpForwarding no"]);
    await expect(through({ ...target, port: server.port, proxy: { ...bastion, port: server.port } })).rejects.toThrow(
      /cannot be reached through hosts\.bastion/,
    );
    await stop();
  });

  it("opens connections from itself, and says whether it may not or cannot", async () => {
    await start(["host-ed25519"]);
    const dialled = (to: number) => {
      const target = { ...at(), hostKey: read("host-ed25519.pub") };
      return withHost("trading-1", target, read("client-ed25519"), async (_, { dial }) => {
        const stream = await dial("127.0.0.1", to);
        return new Promise<string>((resolve) => stream.once("data", (banner) => resolve(String(banner))));
      }).catch((error: unknown) => (error instanceof ForwardError ? error.isForbidden : error));
    };
    expect(await dialled(server.port)).toMatch(/^SSH-2\.0-OpenSSH/);
    expect(await dialled(9)).toBe(false);
    await stop();
    await start(["host-ed25519"], ["AllowTcpForwarding no"]);
    expect(await dialled(server.port)).toBe(true);
    await stop();
  });

  it("takes a key with a passphrase, and the keys of an agent", async () => {
    await start(["host-ed25519"]);
    const target = { ...at(), hostKey: read("host-ed25519.pub") };
    const echoed = (key: SshKey) => withHost("trading-1", target, key, echo);
    write("locked", read("client-ed25519"), 0o600);
    execFileSync("ssh-keygen", ["-q", "-p", "-N", "of the key", "-f", file("locked")]);
    const locked = read("locked");
    expect(await echoed({ key: locked, passphrase: "of the key" })).toMatchObject({ status: 0 });
    for (const key of [locked, { key: locked, passphrase: "wrong" }])
      await expect(echoed(key)).rejects.toThrow(/sshPrivateKey cannot be read: /);
    const refused = await echoed(locked).catch((error: Error) => error.message);
    expect(advised("pulumi config set sshKeyPassphrase", String(refused))).toBe(
      "pulumi config set --secret sshKeyPassphrase",
    );

    vi.stubEnv("SSH_AUTH_SOCK", "");
    await expect(echoed(undefined)).rejects.toThrow(/no SSH agent: .*SSH_AUTH_SOCK is not/);
    vi.stubEnv("SSH_AUTH_SOCK", file("gone"));
    await expect(echoed(undefined)).rejects.toThrow(/the SSH agent at SSH_AUTH_SOCK does not answer: ./);
    const bastion = new Sshd();
    const agent = spawn("ssh-agent", ["-D", "-a", file("agent")], { stdio: "ignore" });
    try {
      await poll(async () => existsSync(file("agent")), { what: "ssh-agent", limitMs: 60_000 });
      vi.stubEnv("SSH_AUTH_SOCK", file("agent"));
      await expect(echoed(undefined)).rejects.toThrow(/takes no key of the SSH agent/);
      write("client", read("client-ed25519"), 0o600);
      execFileSync("ssh-add", ["-q", file("client")], { stdio: "ignore" });
      expect(await echoed(undefined)).toMatchObject({ status: 0, output: "mine\n" });
      // A bastion that takes another of its keys.
      bastion.write("authorized", read("client-rsa.pub"));
      bastion.write("host", read("host-ecdsa"), 0o600);
      await bastion.start(["host"]);
      const proxy = { ...target, name: "bastion", port: bastion.port, hostKey: read("host-ecdsa.pub") };
      const through = () => withHost("trading-1", { ...target, proxy }, undefined, echo);
      await expect(through()).rejects.toThrow(/\(hosts\.bastion\) takes no key of the SSH agent/);
      write("client-2", read("client-rsa"), 0o600);
      execFileSync("ssh-add", ["-q", file("client-2")], { stdio: "ignore" });
      expect(await through()).toMatchObject({ status: 0, output: "mine\n" });
    } finally {
      await bastion.remove();
      agent.kill();
      vi.unstubAllEnvs();
    }
    await stop();
  });
});
