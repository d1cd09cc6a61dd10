import ssh2 from "ssh2";

/** A key pair in OpenSSH's formats. */
export interface SshKeys {
  readonly private: string;
  readonly public: string;
}

/** Three pairs of a thousand that ssh2 makes it cannot read itself ("Malformed OpenSSH private key"): such one is thrown away. */
export function generateSshKeys(): SshKeys {
  for (let attempt = 0; attempt < 20; attempt++) {
    const keys = ssh2.utils.generateKeyPairSync("ed25519");
    if (!(ssh2.utils.parseKey(keys.private) instanceof Error)) return keys;
  }
  throw new Error("ssh2 made no key pair that it can read, in 20 attempts");
}
