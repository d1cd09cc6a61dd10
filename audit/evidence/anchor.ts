import { createHash } from "node:crypto";
import * as z from "zod";
import { type Envelope, envelopeSchema, type Signer, sealed, statementIn } from "../../core/dsse";

export const ANCHOR_TYPE = "urn:secret-rotation:audit-head:1";

/** The end of the audit log at one moment, noted outside of the database. */
export interface Anchor {
  /** The stack whose run noted it; each stack counts its own anchors. */
  readonly stack: string;
  /** From 1 on, without a gap. */
  readonly sequence: number;
  /** SHA-256 of the previous anchor's statement; null for the first. */
  readonly previous: string | null;
  /** The last row of the log, and its hash. */
  readonly id: number;
  readonly hash: string;
  /** When it was noted, ISO 8601, by the clock of the run. */
  readonly at: string;
}

const predicate = z.object({
  stack: z.string(),
  sequence: z.int().min(1),
  previous: z.string().nullable(),
  id: z.int().min(1),
  at: z.string(),
});

/** An anchor in its signed envelope, on one line of JSON as it is kept. */
export async function sealAnchor({ hash, ...about }: Anchor, signer: Signer): Promise<string> {
  const subject = [{ name: `secret_rotation_log/${about.id}`, digest: { sha256: hash } }];
  return JSON.stringify(await sealed({ subject, predicateType: ANCHOR_TYPE, predicate: about }, signer));
}

/** An anchor as it was kept, whoever signed it. */
export interface KeptAnchor {
  readonly anchor: Anchor;
  readonly envelope: Envelope;
  /** What the next anchor names as `previous`. */
  readonly digest: string;
  readonly line: string;
}

/** @throws Error if the line is no anchor */
export function readAnchor(line: string): KeptAnchor {
  const envelope = envelopeSchema.parse(JSON.parse(line));
  const statement = statementIn(envelope, ANCHOR_TYPE);
  const [subject] = statement.subject;
  if (subject === undefined) throw new Error("an anchor without a hash");
  const anchor = { ...predicate.parse(statement.predicate), hash: subject.digest.sha256 };
  const digest = createHash("sha256").update(Buffer.from(envelope.payload, "base64")).digest("hex");
  return { anchor, envelope, digest, line };
}
