import { readFile } from "node:fs/promises";
import { type BundleVerdict, verifyBundle } from "../../../audit/evidence/verify";
import { sshVerifier } from "../../../clients/ssh-signature";
import { verifyTimestamp } from "../../../clients/timestamp";
import { pemVerifier } from "../../../clients/transit-signature";
import type { Verifier } from "../../../core/dsse";
import { messageOf } from "../../../core/errors";
import { UsageError } from "../errors";

/**
 * Verifies a bundle without a network, a database or a project.
 *
 * @param keys a file of allowed signers as `ssh-keygen` reads it, or of public keys in PEM
 * @param authorities root certificates (PEM) of the authorities of time stamps. Default: time stamps are not verified
 * @throws UsageError if a file cannot be read
 */
export async function verifyFile(file: string, keys: string, authorities?: string): Promise<BundleVerdict> {
  const [tar, text] = await Promise.all([read(file), read(keys)]);
  const verifier = verifierOf(text.toString("utf8"));
  if (authorities === undefined) return verifyBundle(tar, verifier);
  await read(authorities);
  return verifyBundle(tar, verifier, (stamp, digest) => verifyTimestamp(stamp, digest, authorities));
}

const verifierOf = (text: string): Verifier =>
  text.includes("-----BEGIN PUBLIC KEY-----") ? pemVerifier(text) : sshVerifier(text);

const read = (file: string): Promise<Buffer> =>
  readFile(file).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`);
  });
