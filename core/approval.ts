import * as z from "zod";
import { type Envelope, envelopeSchema, type Signer, sealed, signerOf, statementIn, type Verifier } from "./dsse";

export const APPROVAL_TYPE = "urn:secret-rotation:approval:1";

/** What somebody approves. */
export interface Approved {
  readonly stack: string;
  readonly secret: string;
  readonly action: string;
  readonly generation: number;
  /** The plan's hash: what is decided, the config and the program. */
  readonly plan: string;
}

const predicate = z.object({ stack: z.string(), secret: z.string(), action: z.string(), generation: z.number() });

/** An approval in its signed envelope. */
export function sealApproval({ plan, ...about }: Approved, at: Date, signer: Signer): Promise<Envelope> {
  const subject = [{ name: `plan of ${about.secret}`, digest: { sha256: plan } }];
  return sealed({ subject, predicateType: APPROVAL_TYPE, predicate: { ...about, at: at.toISOString() } }, signer);
}

/** Whose approval a text is, and of which plan; undefined if it is none, or by a key that is not trusted. */
export async function readApproval(
  text: string,
  verifier: Verifier,
): Promise<(Approved & { readonly by: string }) | undefined> {
  try {
    const envelope = envelopeSchema.parse(JSON.parse(text));
    const statement = statementIn(envelope, APPROVAL_TYPE);
    const by = await signerOf(envelope, verifier);
    const plan = statement.subject[0]?.digest.sha256;
    return by === undefined || plan === undefined ? undefined : { ...predicate.parse(statement.predicate), plan, by };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || isOtherType(error)) return undefined;
    throw error;
  }
}

const isOtherType = (error: unknown) =>
  error instanceof Error && error.message.startsWith("expected a statement of the type");

/** The keys of approvers as `ssh-keygen` reads them: a principal and its key in each line. */
export const allowedSigners = (by: Readonly<Record<string, string>>): string =>
  Object.entries(by)
    .map(([name, key]) => `${name} ${key}\n`)
    .join("");
