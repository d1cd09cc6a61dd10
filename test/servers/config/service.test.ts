import { describe, expect, it } from "vitest";
import { probeOf } from "../../../components/service-probe";
import { generateSshKeys } from "../../../dev/lab/ssh-keys";
import { configWith, parse, problemsOf } from "../../unit/config/example";

const health = (value: unknown) => configWith([["services", "orchestrator", "health"], value]);
const healthy = (value: unknown) => configWith([["services", "orchestrator", "healthy"], value]);
const hostKey = (value: unknown) => configWith([["hosts", "trading-1", "hostKey"], value]);
const probe = (config: Record<string, unknown>) => {
  const service = parse(config).services.orchestrator;
  return service && probeOf(service);
};

describe("where a service is asked for its health", () => {
  it("is an http address, a port or a command", () => {
    expect(probe(health("http://{address}:8001/health?verbose=1"))).toMatchObject({
      url: "http://{address}:8001/health?verbose=1",
      rule: { status: [], field: "status", equals: ["healthy"], text: null },
    });
    expect(probe(health("tcp://{address}:5432"))).toEqual({ kind: "tcp", host: "{address}", port: 5432 });
    expect(probe(health("tcp://[::1]:5432/"))).toEqual({ kind: "tcp", host: "::1", port: 5432 });
    expect(probe(health({ command: "pg_isready" }))).toEqual({ kind: "command", command: "pg_isready" });
  });

  it.each([
    "http://ops:hunter2@host/health",
    "https://hunter2@host/health",
    "http://:hunter2@{address}:8001/health",
    "http://host/health?token=hunter2",
    "http://host/health?a=1&api_key=hunter2",
    "http://host/health?access-key=hunter2",
    "tcp://ops:hunter2@host:5432",
    "ftp://ops:hunter2@host/health",
    "ops:hunter2@host/health",
  ])("holds no credential, and none is repeated: %s", (address) => {
    const problems = problemsOf(health(address));
    expect(problems).toEqual([expect.stringMatching(/^services\.orchestrator\.health: expected an /)]);
    expect(problems.join()).not.toContain("hunter2");
  });

  it.each<[value: unknown, says: string]>([
    ["tcp://host", "health: expected tcp://HOST:PORT and nothing behind it"],
    ["tcp://host:5432/health", "health: expected tcp://HOST:PORT and nothing behind it"],
    [{}, "health: expected an http:// or https:// address, or { command }, found an object"],
    [{ command: "" }, 'health.command: expected some text, found ""'],
    [{ cmd: "x" }, "health: expected an http:// or https:// address, or { command }, found an object"],
    [5, "health: expected an http:// or https:// address, found 5"],
  ])("refuses %j", (value, says) => {
    expect(problemsOf(health(value))[0]).toContain(`services.orchestrator.${says}`);
  });
});

describe("what an answer must be", () => {
  it.each<[value: unknown, rule: object]>([
    [{ status: 200 }, { status: [200], field: null, text: null }],
    [{ status: "2xx" }, { status: [], field: null }],
    [{ equals: "UP" }, { status: [], field: "status", equals: ["UP"] }],
    [
      { status: [200, 429], field: "a.b", equals: [true, 1, "ok"] },
      { field: "a.b", equals: ["true", "1", "ok"] },
    ],
    [{ field: "state" }, { field: "state", equals: ["healthy"] }],
    [{ status: 200, field: null }, { field: null }],
    [{ text: "OK" }, { field: null, text: ["OK"] }],
  ])("is what the config says: %j", (value, rule) => {
    expect(probe(healthy(value))).toMatchObject({ kind: "http", rule });
  });

  it.each<[value: unknown, says: string]>([
    [{}, "healthy: expected status, field, equals or text, found none"],
    [{ status: 99 }, "healthy.status: expected at least 100, found 99"],
    [{ status: "3xx" }, "healthy.status: expected 2xx, an HTTP status such as 200, or a list of them"],
    [{ equals: [] }, "healthy.equals: expected at least one entry, found an empty list"],
    [{ text: "OK", equals: "UP" }, "healthy.text: expected either `text` or `field` and `equals`, found both"],
    [{ field: null, equals: "UP" }, "healthy.equals: expected only with a `field`"],
    [{ body: "OK" }, "healthy.body: unknown key; expected one of status, field, equals, text"],
  ])("is refused where it says nothing, or too much: %j", (value, says) => {
    expect(problemsOf(healthy(value))[0]).toContain(`services.orchestrator.${says}`);
  });

  it("is of an http address alone", () => {
    const config = configWith(
      [["services", "orchestrator", "health"], "tcp://{address}:5432"],
      [["services", "orchestrator", "healthy"], { status: 200 }],
    );
    expect(problemsOf(config)).toEqual([
      "services.orchestrator.healthy: expected only with an http address in `health`",
    ]);
  });
});

describe("the keys of a host", () => {
  it("are one or several, of the types that SSH servers have", () => {
    const key = generateSshKeys().public.trim();
    for (const right of [key, `${key} root@trading-1`, [key], [key, "ssh-rsa AAAA"]]) {
      expect(parse(hostKey(right)).hosts["trading-1"]?.hostKey).toEqual(right);
    }
  });

  it.each<[value: unknown, says: string]>([
    ["trading-1 ssh-ed25519 AAAA", "expected a line for 10.0.0.1, found one for trading-1"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----", "expected a public host key, such as"],
    ["ssh-dss AAAAB3NzaC1kc3M=", "found one of the type ssh-dss"],
    ["ssh-ed25519-cert-v01@openssh.com AAAA", "found a certificate: put the key of the authority that signs it here"],
    ["ssh-ed25519 AAAA-BBBB!", "found other characters in it"],
    ["ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGUHM4EZ0ydfDfRsLcAYmKVtOdpKhI91TM3SKTVvv8aL", "found another in it"],
    ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGUHM4EZ0ydfDfRsLcAYmKVtOdpKhI91TM3SKTVv", "found 48 bytes of 51"],
    [[], "expected a public host key, such as"],
    [{}, "expected a public host key, such as"],
  ])("are refused where they are none: %j", (value, says) => {
    expect(problemsOf(hostKey(value))[0]).toContain("hosts.trading-1.hostKey");
    expect(problemsOf(hostKey(value))[0]).toContain(says);
  });

  it("are told apart in a list", () => {
    expect(problemsOf(hostKey(["ssh-ed25519 AAAA", "x"]))).toEqual([
      expect.stringContaining("hosts.trading-1.hostKey[1]: expected a public host key"),
    ]);
  });
});
