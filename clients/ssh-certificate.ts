import { createECDH, generateKeyPairSync, randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { SshReader, sshString } from "../core/ssh-reader";

/** The forms of a certificate that are asked for, best first. */
const CERTIFICATES = [
  "ssh-ed25519-cert-v01@openssh.com",
  "ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "ecdsa-sha2-nistp384-cert-v01@openssh.com",
  "ecdsa-sha2-nistp521-cert-v01@openssh.com",
  "rsa-sha2-512-cert-v01@openssh.com",
  "rsa-sha2-256-cert-v01@openssh.com",
];

/** The key exchanges, each with the client's part of it. */
const EXCHANGES: Readonly<Record<string, () => Buffer>> = {
  "curve25519-sha256": () =>
    generateKeyPairSync("x25519").publicKey.export({ type: "spki", format: "der" }).subarray(-32),
  "curve25519-sha256@libssh.org": () => EXCHANGES["curve25519-sha256"]?.() as Buffer,
  "ecdh-sha2-nistp256": () => createECDH("prime256v1").generateKeys(),
  "ecdh-sha2-nistp384": () => createECDH("secp384r1").generateKeys(),
  "ecdh-sha2-nistp521": () => createECDH("secp521r1").generateKeys(),
};

const CIPHERS = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr";
const HASHES = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1";

const [DISCONNECT, KEXINIT, ECDH_INIT, ECDH_REPLY] = [1, 20, 30, 31];

/**
 * Asks a host for its certificate, as `ssh-keyscan -c` does: the host shows it in the first two messages, before anything is
 * encrypted, and the connection ends there. That the host has the key in it, the next connection proves.
 *
 * @returns undefined if the host has none
 * @throws Error if there is no answer to read
 */
export async function askForCertificate(stream: Duplex): Promise<Buffer | undefined> {
  stream.on("error", () => undefined);
  try {
    const incoming = new Incoming(stream[Symbol.asyncIterator]());
    stream.write("SSH-2.0-secret-rotation\r\n");
    while (!(await incoming.line()).startsWith("SSH-2.0-"));
    stream.write(packet(ownKexinit()));
    const reader = await incoming.message(KEXINIT);
    reader.raw(16);
    const [exchanges, keys] = [reader.list(), reader.list()];
    if (!CERTIFICATES.some((type) => keys.includes(type))) return undefined;
    const exchange = Object.keys(EXCHANGES).find((name) => exchanges.includes(name));
    if (exchange === undefined) throw new Error(`it has no key exchange of ${Object.keys(EXCHANGES).join(", ")}`);
    const part = EXCHANGES[exchange]?.() as Buffer;
    stream.write(packet(Buffer.concat([Buffer.from([ECDH_INIT]), sshString(part)])));
    return (await incoming.message(ECDH_REPLY)).string();
  } finally {
    stream.destroy();
  }
}

function ownKexinit(): Buffer {
  const lists = [Object.keys(EXCHANGES).join(","), CERTIFICATES.join(","), CIPHERS, CIPHERS, HASHES, HASHES];
  return Buffer.concat([
    ...[Buffer.from([KEXINIT]), randomBytes(16)],
    ...[...lists, "none", "none", "", ""].map(sshString),
    Buffer.alloc(5), // no guess follows
  ]);
}

/** A message as it is sent before there are keys: a multiple of 8 bytes. */
function packet(payload: Buffer): Buffer {
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + padding + 1);
  head.writeUInt8(padding, 4);
  return Buffer.concat([head, payload, randomBytes(padding)]);
}

/** No message of a handshake is longer. */
const LONGEST = 256 * 1024;

/** What the host sends. */
class Incoming {
  private held: Buffer = Buffer.alloc(0);

  constructor(private readonly chunks: AsyncIterator<Buffer>) {}

  /** A line before the host's first message; servers may greet before they say what they are. */
  async line(): Promise<string> {
    let end = this.held.indexOf("\n");
    for (; end < 0; end = this.held.indexOf("\n")) await this.more();
    return this.bytes(end + 1).then((line) => line.toString("utf8").trim());
  }

  /** The next message of this kind; those that mean nothing here are left out. */
  async message(kind: number): Promise<SshReader> {
    for (;;) {
      const length = (await this.bytes(4)).readUInt32BE();
      if (length < 2 || length > LONGEST) throw new Error("it does not speak SSH");
      const body = await this.bytes(length);
      const reader = new SshReader(body.subarray(1, length - (body[0] ?? 0)));
      const found = reader.raw(1)[0];
      if (found === kind) return reader;
      if (found !== DISCONNECT) continue;
      reader.uint32();
      throw new Error(`it ends the connection: ${reader.text()}`);
    }
  }

  private async bytes(count: number): Promise<Buffer> {
    while (this.held.length < count) await this.more();
    const found = this.held.subarray(0, count);
    this.held = this.held.subarray(count);
    return found;
  }

  private async more(): Promise<void> {
    const { value, done } = await this.chunks.next();
    if (done || this.held.length > 2 * LONGEST) throw new Error("it ended the connection");
    this.held = Buffer.concat([this.held, value]);
  }
}
