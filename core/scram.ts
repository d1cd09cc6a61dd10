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
 * A salt that belongs to a role and its password, so that the same verifier can be computed anywhere. Whoever may connect to
 * the server learns a salt: to guess the password by it costs as much as to guess it by the verifier itself.
 */
export function derivedSalt(role: string, password: string): string {
  return pbkdf2Sync(prepared(password), `salt of ${role}`, ITERATIONS, 16, "sha256").toString("base64");
}

/** If SASLprep refuses the bytes, PostgreSQL uses them as they are; so does this. */
function prepared(password: string): string {
  try {
    return saslprep(password, { allowUnassigned: true });
  } catch {
    return password;
  }
}
