import { createHash } from "node:crypto";
import * as z from "zod";

/** A signature's key. The private part stays where it is: in a file, an agent or a server. */
export interface Signer {
  /** Names the key for people; a verifier does not trust it. */
  readonly keyid: string;
  sign(bytes: Buffer): Promise<Buffer>;
}

/** Who signed these bytes; undefined if it was none of the keys that the verifier trusts. */
export type Verifier = (bytes: Buffer, signature: Buffer) => Promise<string | undefined>;

/** DSSE's envelope as JSON: base64 of the payload, and signatures over payload and type. */
export const envelopeSchema = z.object({
  payloadType: z.literal("application/vnd.in-toto+json"),
  payload: z.base64(),
  signatures: z.array(z.object({ keyid: z.string(), sig: z.base64() })).min(1),
  /** Beside DSSE's own fields: an authority's time stamp (RFC 3161) over {@link stampedDigest}. */
  timestamp: z.base64().optional(),
});

export type Envelope = z.output<typeof envelopeSchema>;

const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** What DSSE signs: the type and the payload, each with its length before it. */
export function preAuthEncoding(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
}

/** What a time stamp of an envelope is over: SHA-256, in hex, of what its signature is over. */
export const stampedDigest = ({ payload }: Pick<Envelope, "payload">): string =>
  createHash("sha256")
    .update(preAuthEncoding(Buffer.from(payload, "base64")))
    .digest("hex");

/** An in-toto statement: what is said (the predicate) about files or hashes (the subjects). */
export interface Statement {
  readonly _type: "https://in-toto.io/Statement/v1";
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

/** A statement in a signed envelope. */
export async function sealed(statement: Omit<Statement, "_type">, signer: Signer): Promise<Envelope> {
  const payload = Buffer.from(JSON.stringify({ _type: "https://in-toto.io/Statement/v1", ...statement }));
  const sig = (await signer.sign(preAuthEncoding(payload))).toString("base64");
  return { payloadType: PAYLOAD_TYPE, payload: payload.toString("base64"), signatures: [{ keyid: signer.keyid, sig }] };
}

/** Who signed an envelope; undefined if no signature is by a key that the verifier trusts. */
export async function signerOf({ payload, signatures }: Envelope, verifier: Verifier): Promise<string | undefined> {
  const bytes = preAuthEncoding(Buffer.from(payload, "base64"));
  for (const { sig } of signatures) {
    const signedBy = await verifier(bytes, Buffer.from(sig, "base64"));
    if (signedBy !== undefined) return signedBy;
  }
  return undefined;
}

const statementSchema = z.object({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }) })),
  predicateType: z.string(),
  predicate: z.record(z.string(), z.unknown()),
});

/** An envelope's statement, whoever signed it. @throws Error if it is none of the given type */
export function statementIn({ payload }: Envelope, predicateType: string): Statement {
  const statement = statementSchema.parse(JSON.parse(Buffer.from(payload, "base64").toString("utf8")));
  if (statement.predicateType === predicateType) return statement;
  throw new Error(`expected a statement of the type ${predicateType}, found ${statement.predicateType}`);
}
