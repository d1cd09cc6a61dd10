import { createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { fits } from "./known-host";
import { SshReader, sshString } from "./ssh-reader";

/** What an SSH authority says about a host's key (OpenSSH's PROTOCOL.certkeys, version 01). */
export interface SshCertificate {
  /** The certified key alone, as a host without a certificate shows it. */
  readonly key: { readonly type: string; readonly blob: Buffer };
  readonly isForHost: boolean;
  readonly names: readonly string[];
  /** Seconds since 1970. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly hasCriticalOptions: boolean;
  /** The authority's key. */
  readonly authority: Buffer;
  readonly signature: Buffer;
  /** What the signature is of. */
  readonly signed: Buffer;
}

/** What a certificate is held to. */
export interface Expected {
  /** The name by which the host is known, in lower case. */
  readonly name: string;
  /** The keys of the authorities that may sign it, in base64. */
  readonly authorities: readonly string[];
  /** Keys that are never trusted, in base64. */
  readonly revoked: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

const SUFFIX = "-cert-v01@openssh.com";

/** How many fields a key has after its type. */
const FIELDS: Readonly<Record<string, number>> = {
  "ssh-ed25519": 1,
  "ssh-rsa": 2,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
};

/** Reads a certificate. @throws Error if it is none */
export function readCertificate(blob: Buffer): SshCertificate {
  const reader = new SshReader(blob);
  const named = reader.text();
  const type = named.endsWith(SUFFIX) ? named.slice(0, -SUFFIX.length) : "";
  const fields = FIELDS[type];
  if (fields === undefined) throw new Error(`it is of the type ${named}`);
  reader.string(); // a nonce
  const from = reader.at;
  for (let field = 0; field < fields; field++) reader.string();
  const key = { type, blob: Buffer.concat([sshString(type), blob.subarray(from, reader.at)]) };
  reader.uint64(); // a serial number
  const kind = reader.uint32();
  reader.string(); // a name for the authority's own use
  const names = new SshReader(reader.string());
  const principals: string[] = [];
  while (!names.isAtEnd) principals.push(names.text());
  const [validAfter, validBefore] = [reader.uint64(), reader.uint64()];
  const hasCriticalOptions = reader.string().length > 0;
  reader.string(); // extensions: none is defined for hosts
  reader.string(); // reserved
  const authority = reader.string();
  const signed = blob.subarray(0, reader.at);
  const signature = reader.string();
  if (!reader.isAtEnd) throw new Error("it goes on after its end");
  return {
    ...{ key, isForHost: kind === 2, names: principals, validAfter, validBefore },
    ...{ hasCriticalOptions, authority, signature, signed },
  };
}

/** Why a certificate proves nothing about a host, as OpenSSH judges it; undefined if it proves the host's key. */
export function certificateProblem(certificate: SshCertificate, expected: Expected): string | undefined {
  const { authority, isForHost, names, validAfter, validBefore, hasCriticalOptions, key } = certificate;
  const [signer, certified] = [authority.toString("base64"), key.blob.toString("base64")];
  const seconds = BigInt(Math.floor(expected.now / 1000));
  if (expected.revoked.includes(signer)) return "its authority is revoked (@revoked)";
  if (expected.revoked.includes(certified)) return "the key in it is revoked (@revoked)";
  if (!expected.authorities.includes(signer)) return `another authority signed it (${signer.slice(0, 40)}...)`;
  if (!isSigned(certificate)) return "its signature is wrong: it was changed after it was signed";
  if (!isForHost) return "it is a user's certificate, not a host's (one for a host is made with -h)";
  if (seconds < validAfter) return `it is valid only from ${timeOf(validAfter)}`;
  if (seconds >= validBefore) return `it expired at ${timeOf(validBefore)}`;
  if (names.length === 0) return "it names no host";
  if (!names.some((pattern) => fits(pattern, expected.name)))
    return `it is for ${names.join(", ")}, and not for ${expected.name}`;
  return hasCriticalOptions ? "it has critical options, and none is known for a host" : undefined;
}

const timeOf = (seconds: bigint): string => {
  const time = new Date(Number(seconds) * 1000);
  return Number.isNaN(time.getTime()) ? "never" : time.toISOString().replace(".000Z", "Z");
};

/** The hash of each signature; SHA-1 (`ssh-rsa`) is none, as for OpenSSH. */
const HASHES: Readonly<Record<string, string | null>> = {
  "ssh-ed25519": null,
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
};

function isSigned({ authority, signature, signed }: SshCertificate): boolean {
  try {
    const [type, key] = [new SshReader(authority).text(), publicKey(authority)];
    const reader = new SshReader(signature);
    const algorithm = reader.text();
    const hash = HASHES[algorithm];
    if (hash === undefined || (algorithm !== type && !(type === "ssh-rsa" && algorithm.startsWith("rsa-"))))
      return false;
    const value = reader.string();
    const isEcdsa = algorithm.startsWith("ecdsa-");
    return isEcdsa
      ? verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, joined(value, SIZES[algorithm] ?? 0))
      : verify(hash, signed, key, value);
  } catch {
    return false;
  }
}

/** Bytes of a number on each curve. */
const SIZES: Readonly<Record<string, number>> = {
  "ecdsa-sha2-nistp256": 32,
  "ecdsa-sha2-nistp384": 48,
  "ecdsa-sha2-nistp521": 66,
};

const CURVES: Readonly<Record<string, string>> = {
  "ecdsa-sha2-nistp256": "P-256",
  "ecdsa-sha2-nistp384": "P-384",
  "ecdsa-sha2-nistp521": "P-521",
};

/** The two numbers of an ECDSA signature, each as long as the curve has it. */
function joined(value: Buffer, size: number): Buffer {
  const reader = new SshReader(value);
  const padded = (number: Buffer) => {
    const bytes = number.subarray(Math.max(0, number.length - size));
    return Buffer.concat([Buffer.alloc(size - bytes.length), bytes]);
  };
  return Buffer.concat([padded(reader.string()), padded(reader.string())]);
}

function publicKey(blob: Buffer): KeyObject {
  const reader = new SshReader(blob);
  const type = reader.text();
  const part = (bytes: Buffer) => bytes.toString("base64url");
  const jwk = (): JsonWebKey => {
    if (type === "ssh-ed25519") return { kty: "OKP", crv: "Ed25519", x: part(reader.string()) };
    if (type === "ssh-rsa") {
      const [e, n] = [reader.string(), reader.string()];
      return { kty: "RSA", e: part(e), n: part(n[0] === 0 ? n.subarray(1) : n) };
    }
    reader.string(); // the curve, once more
    const size = SIZES[type] ?? 0;
    const point = reader.string();
    return {
      kty: "EC",
      crv: CURVES[type] ?? "",
      x: part(point.subarray(1, 1 + size)),
      y: part(point.subarray(1 + size)),
    };
  };
  return createPublicKey({ key: jwk(), format: "jwk" });
}
