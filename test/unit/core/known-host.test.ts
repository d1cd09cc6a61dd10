import { describe, expect, it } from "vitest";
import { isForHost, knownHost } from "../../../core/known-host";

const KEY = "ssh-ed25519 AAAA";
const at = { address: "10.0.0.1", port: 2222 };

describe("a line of known_hosts", () => {
  it.each([
    [KEY, { type: "ssh-ed25519", key: "AAAA" }],
    [` ${KEY} root@trading-1\n`, { type: "ssh-ed25519", key: "AAAA" }],
    [`[10.0.0.1]:2222 ${KEY}`, { names: "[10.0.0.1]:2222", type: "ssh-ed25519", key: "AAAA" }],
    [
      `@cert-authority *.desk.internal ${KEY}`,
      { marker: "cert-authority", names: "*.desk.internal", type: "ssh-ed25519", key: "AAAA" },
    ],
    [`@cert-authority ${KEY}`, { marker: "cert-authority", type: "ssh-ed25519", key: "AAAA" }],
    [`@revoked * ${KEY}`, { marker: "revoked", names: "*", type: "ssh-ed25519", key: "AAAA" }],
    [`@other * ${KEY}`, undefined],
    ["ssh-ed25519", undefined],
    ["10.0.0.1", undefined],
    ["", undefined],
  ])("%j", (text, parts) => expect(knownHost(text)).toEqual(parts));

  it.each([
    ["*", true],
    ["10.0.0.1", true],
    ["[10.0.0.1]:2222", true],
    ["[10.0.0.1]:22", false],
    ["10.0.0.?", true],
    ["10.0.0.1*", true],
    ["10.0.0.2,10.0.0.1", true],
    ["10.0.0.*,!10.0.0.1", false],
    ["!10.0.0.2", false],
    ["10x0.0.1", false],
    ["|1|tlc2fuqtwcdqK274icMd8KQenKg=|aiNOVdJpa55RA92iUXMPSSdggNQ=", true],
    ["|1|tlc2fuqtwcdqK274icMd8KQenKg=|aiNOVdJpa55RA92iUXMPSSdggNU=", false],
  ])("for %s", (names, isFor) => expect(isForHost({ names, type: "ssh-ed25519", key: "AAAA" }, at)).toBe(isFor));

  it("is for the alias alone, if there is one", () => {
    const alias = { ...at, hostKeyAlias: "Trading-1.desk.internal" };
    const isFor = (names: string) => isForHost({ names, type: "ssh-ed25519", key: "AAAA" }, alias);
    expect(["TRADING-1.desk.internal", "*.desk.internal", "10.0.0.1"].map(isFor)).toEqual([true, true, false]);
  });
});
