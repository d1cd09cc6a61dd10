import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { extract, pack } from "tar-stream";
import { type Envelope, envelopeSchema, type Signer, sealed } from "../../core/dsse";

export const BUNDLE_TYPE = "urn:secret-rotation:evidence:1";

/** The signed statement about all other files of a bundle: their digests, and what the bundle is. */
export const STATEMENT = "statement.dsse.json";

/** The files of a bundle by name. */
export type Files = ReadonlyMap<string, Buffer>;

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** A tar with the signed statement first and the files in the order of their names: the same input gives the same files. */
export async function writeBundle(
  files: Files,
  { about, signer, at }: { about: Readonly<Record<string, unknown>>; signer: Signer; at: Date },
): Promise<Buffer> {
  const ordered = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const subject = ordered.map(([name, bytes]) => ({ name, digest: { sha256: sha256(bytes) } }));
  const envelope = await sealed({ subject, predicateType: BUNDLE_TYPE, predicate: about }, signer);
  const tar = pack();
  const whole = buffer(tar);
  for (const [name, bytes] of [[STATEMENT, Buffer.from(`${JSON.stringify(envelope)}\n`)] as const, ...ordered])
    tar.entry({ name, mode: 0o644, mtime: at }, bytes);
  tar.finalize();
  return whole;
}

/** A bundle that is none: no tar, no statement, a name that occurs twice. */
export class NoBundleError extends Error {
  override readonly name = "NoBundleError";
}

/** Reads a tar. @throws NoBundleError */
export async function readBundle(tar: Buffer): Promise<{ readonly envelope: Envelope; readonly files: Files }> {
  const files = new Map<string, Buffer>();
  const entries = extract();
  entries.end(tar);
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      if (type !== "file") throw new NoBundleError(`expected files alone, found ${name}, a ${type}`);
      if (files.has(name)) throw new NoBundleError(`expected each file once, found ${name} twice`);
      files.set(name, await buffer(entry));
    }
  } catch (error) {
    if (error instanceof NoBundleError) throw error;
    throw new NoBundleError(`expected a tar, found none that is whole: ${(error as Error).message}`);
  }
  const statement = files.get(STATEMENT);
  if (statement === undefined)
    throw new NoBundleError(`expected ${STATEMENT}, found ${[...files.keys()].join(", ") || "no file"}`);
  files.delete(STATEMENT);
  try {
    return { envelope: envelopeSchema.parse(JSON.parse(statement.toString("utf8"))), files };
  } catch {
    throw new NoBundleError(`expected a DSSE envelope in ${STATEMENT}, found none`);
  }
}
