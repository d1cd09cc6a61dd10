import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { saslprep } from "@mongodb-js/saslprep";

/** PostgreSQL's own default (`scram_iterations`). */
const ITERATIONS = 4096;

/**
 * The verifier that PostgreSQL stores for a password (RFC 5803), computed here so that the plain text reaches neither
 * the server nor its log: `ALTER ROLE ... PASSWORD '<verifier>'` is accepted as it is.
 *
 * @param salt 16 random bytes, base64.
 */
export function scramVerifier(password: string, salt: string): string {
  const salted = pbkdf2Sync(prepared(password), Buffer.from(salt, "base64"), ITERATIONS, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt}$${storedKey}:${serverKey}`;
}

/**
 * A salt that no other slot and generation of a stack has, and that is the same whenever it is computed. It is made of names
 * alone: the server sends a login's salt to whoever begins to log in, so it must tell nothing of the password.
 */
export const derivedSalt = (stack: string, slot: string, generation: number): string =>
  createHash("sha256")
    .update(JSON.stringify([stack, slot, generation]))
    .digest()
    .subarray(0, 16)
    .toString("base64");

/** If SASLprep refuses the bytes, PostgreSQL uses them as they are; so does this. */
function prepared(password: string): string {
  try {
    return saslprep(password, { allowUnassigned: true });
  } catch {
    return password;
  }
}
