import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostReference, withHost } from "../../../clients/ssh";
import { runAt } from "../../../components/places";
import { configWith, parse } from "../../unit/config/example";
import { hasSshd, Sshd } from "../lab/sshd";

const NAME = "trading-1.desk.internal";
const CERTIFIED = ["ed25519", "ecdsa", "rsa"] as const;

describe.runIf(hasSshd)("a host that OpenSSH's authority has certified", () => {
  const server = new Sshd();
  const { read, write, file } = server;

  /** Certifies a key of the host; the certificate is in `KEY-cert.pub`. */
  const certify = (key: string, ca: string, options: readonly string[]) =>
    execFileSync("ssh-keygen", ["-q", "-s", file(ca), "-I", "test", ...options, file(`${key}.pub`)]);
  const forHost = (names = NAME, validity = "+1h") => ["-h", "-n", names, "-V", validity];

  beforeAll(() => {
    for (const type of CERTIFIED) server.keygen(type, `host-${type}`);
    for (const type of CERTIFIED) server.keygen(type, `ca-${type}`);
    for (const name of ["other-ca", "client"]) server.keygen("ed25519", name);
    write("authorized", read("client.pub"));
  });
  afterAll(() => server.remove());

  const authority = (ca: string, names = "*") => `@cert-authority ${names} ${read(`${ca}.pub`)}`;
  const host = (more: Partial<HostReference> = {}) => ({
    ...{ address: server.address, port: server.port, user: server.user, hostKeyAlias: NAME },
    hostKey: authority("ca-ed25519"),
    ...more,
  });
  const echoed = (more: Partial<HostReference> = {}) =>
    withHost("trading-1", host(more), read("client"), (run) => run("echo mine", 30_000));
  /** Starts with the certificate of one key. */
  const start = (key = "host-ed25519", more: readonly string[] = []) =>
    server.start([key], [`HostCertificate ${file(`${key}-cert.pub`)}`, ...more]);

  it.each(CERTIFIED.flatMap((key) => CERTIFIED.map((ca) => [key, ca] as const)))(
    "is trusted: a key of the type %s, an authority of the type %s",
    async (key, ca) => {
      certify(`host-${key}`, `ca-${ca}`, forHost());
      await start(`host-${key}`);
      expect(await echoed({ hostKey: [read("client.pub"), authority(`ca-${ca}`)] })).toEqual({
        status: 0,
        output: "mine\n",
      });
      await expect(echoed({ hostKey: authority("other-ca") })).rejects.toThrow(
        /^\S+@127\.0\.0\.1:\d+ \(hosts\.trading-1\) proves no key by a certificate of an authority in hosts\.trading-1\.hostKey: another authority signed it \(/,
      );
      await server.stop();
    },
  );

  it.each([
    ["expired", forHost(NAME, "-2h:-1h"), /it expired at \d{4}-\d\d-\d\dT[\d:]+Z;/],
    ["not valid yet", forHost(NAME, "+1h:+2h"), /it is valid only from \d{4}-/],
    ["of a user", ["-n", NAME], /it is a user's certificate, not a host's/],
    [
      "for another host",
      forHost("trading-2.desk.internal,10.0.0.2"),
      /it is for trading-2\.desk\.internal, 10\.0\.0\.2, and not for trading-1\.desk\.internal/,
    ],
    ["for no host by name", ["-h"], /it names no host/],
    [
      "with an option that is critical",
      [...forHost(), "-O", "critical:only@desk.internal=1"],
      /it has critical options/,
    ],
  ])("is not trusted by a certificate that is %s", async (_, options, words) => {
    certify("host-ed25519", "ca-ed25519", options);
    await start();
    await expect(echoed()).rejects.toThrow(words);
    // Its own key still counts, if the config has it.
    expect(await echoed({ hostKey: [authority("ca-ed25519"), read("host-ed25519.pub")] })).toMatchObject({ status: 0 });
    const other = await echoed({ hostKey: [authority("ca-ed25519"), read("other-ca.pub")] }).catch(String);
    expect(other).toMatch(/shows another key than hosts\.trading-1\.hostKey: /);
    expect(other).toMatch(words.source.endsWith(";") ? /it expired at/ : words);
    await server.stop();
  });

  it("may have a pattern in its certificate, as OpenSSH has it", async () => {
    certify("host-ed25519", "ca-ed25519", forHost("*.desk.internal"));
    await start();
    expect(await echoed()).toMatchObject({ status: 0 });
    await expect(echoed({ hostKeyAlias: "trading-1.other.internal" })).rejects.toThrow(/it is for \*\.desk\.internal/);
    await server.stop();
  });

  it("is not trusted if its certificate was changed, and not without one", async () => {
    certify("host-ed25519", "ca-ed25519", forHost("trading-2.desk.internal"));
    const [type, blob = ""] = read("host-ed25519-cert.pub").split(" ");
    const bytes = Buffer.from(blob, "base64");
    bytes.write("1", bytes.indexOf("trading-2") + "trading-".length);
    write("host-ed25519-cert.pub", `${type} ${bytes.toString("base64")} test\n`);
    await start();
    // sshd itself leaves out a certificate whose signature is wrong.
    await expect(echoed()).rejects.toThrow(/its signature is wrong|it has no host certificate/);
    await server.stop();
    await server.start(["host-ed25519"]);
    await expect(echoed()).rejects.toThrow(/it has no host certificate \(HostCertificate in its sshd_config\)/);
    await server.stop();
  });

  it("is not trusted if its key or its authority is revoked", async () => {
    certify("host-ed25519", "ca-ed25519", forHost());
    await start();
    const revoked = (name: string) => [authority("ca-ed25519"), `@revoked * ${read(`${name}.pub`)}`];
    await expect(echoed({ hostKey: revoked("host-ed25519") })).rejects.toThrow(/the key in it is revoked/);
    await expect(echoed({ hostKey: revoked("ca-ed25519") })).rejects.toThrow(/its authority is revoked/);
    const plain = [`@revoked * ${read("host-ed25519.pub")}`, read("host-ed25519.pub"), read("other-ca.pub")];
    await expect(echoed({ hostKey: plain })).rejects.toThrow(
      /shows a key that hosts\.trading-1\.hostKey names as @revoked/,
    );
    await server.stop();
  });

  it("is trusted through a bastion that is certified too, each under its own name", async () => {
    certify("host-ed25519", "ca-ed25519", forHost(`${NAME},bastion.desk.internal`));
    await start();
    const bastion = { ...host({ hostKeyAlias: "bastion.desk.internal" }), name: "bastion" };
    expect(await echoed({ proxy: bastion })).toMatchObject({ status: 0, output: "mine\n" });
    await expect(echoed({ proxy: { ...bastion, hostKeyAlias: "other.desk.internal" } })).rejects.toThrow(
      /\(hosts\.bastion\) proves no key .* and not for other\.desk\.internal/,
    );
    await expect(echoed({ proxy: bastion, hostKeyAlias: "other.desk.internal" })).rejects.toThrow(
      /\(hosts\.trading-1\) proves no key .* and not for other\.desk\.internal/,
    );
    await server.stop();
  });

  it("is reached as the stack's config says, a bastion before it", async () => {
    certify("host-ed25519", "ca-ed25519", forHost(`${NAME},bastion.desk.internal`));
    await start();
    const { hostKey: _, ...at } = host();
    const authorities = [authority("ca-ed25519", "*.desk.internal"), `@revoked * ${read("other-ca.pub")}`];
    const hosts = {
      "trading-1": { ...at, hostKey: authorities, proxy: "bastion" },
      bastion: { ...at, hostKeyAlias: "bastion.desk.internal", hostKey: authorities },
    };
    const config = parse(configWith([["hosts"], hosts], [["sshPrivateKey"], read("client")]));
    const place = { hostName: "trading-1", host: config.hosts["trading-1"] };
    expect(await runAt(config, place, "echo mine")).toBe("mine\n");
    await server.stop();
  });

  it("is reached at an IPv6 address, also through a bastion", async () => {
    const there = new Sshd("::1");
    try {
      there.write("authorized", read("client.pub"));
      there.write("host", read("host-ed25519"), 0o600);
      certify("host-ed25519", "ca-ed25519", forHost("::1"));
      await there.start(["host"], [`HostCertificate ${file("host-ed25519-cert.pub")}`]);
      const at = { address: "::1", port: there.port, hostKeyAlias: undefined };
      expect(await echoed(at)).toMatchObject({ status: 0 });
      expect(await echoed({ ...at, proxy: { ...host(at), name: "bastion" } })).toMatchObject({ status: 0 });
    } finally {
      await there.remove();
    }
  });

  it("that shows the certified key only in its certificate is said to", async () => {
    certify("host-ed25519", "ca-ed25519", forHost());
    await start("host-ed25519", ["HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com"]);
    await expect(echoed()).rejects.toThrow(
      /does not show the key of the type ssh-ed25519 that its certificate proves; expected/,
    );
    await server.stop();
  });

  it.each([["ecdh-sha2-nistp256"], ["ecdh-sha2-nistp521"], ["diffie-hellman-group16-sha512"]])(
    "is asked with the key exchange %s alone",
    async (exchange) => {
      certify("host-ed25519", "ca-ed25519", forHost());
      await start("host-ed25519", [`KexAlgorithms ${exchange}`]);
      const answer = await echoed().catch(String);
      if (exchange.startsWith("ecdh")) expect(answer).toMatchObject({ status: 0 });
      else
        expect(answer).toMatch(/\(hosts\.trading-1\) cannot be reached: it has no key exchange of curve25519-sha256, /);
      await server.stop();
    },
  );
});
