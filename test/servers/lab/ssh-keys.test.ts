import ssh2 from "ssh2";
import { expect, it, vi } from "vitest";
import { generateSshKeys } from "../../../dev/lab/ssh-keys";

it("throws away a key pair that ssh2 cannot read", () => {
  const { generateKeyPairSync } = ssh2.utils;
  const good = generateSshKeys();
  const made = vi
    .spyOn(ssh2.utils, "generateKeyPairSync")
    .mockReturnValueOnce({ ...good, private: good.private.replace(/\n.{8}/, "\nAAAAAAAA") })
    .mockImplementation(generateKeyPairSync);
  expect(ssh2.utils.parseKey(generateSshKeys().private)).not.toBeInstanceOf(Error);
  expect(made.mock.calls.length).toBeGreaterThanOrEqual(2);
  made.mockRestore();
});
