import { createCipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

/** The passphrase of a lab's stacks. */
export const PASSPHRASE = "lab";

/** One for all, so that the key is derived once. It is public, and so are the values that a lab encrypts with it. */
const SALT = Buffer.alloc(8, "lab");
let key: Promise<Buffer> | undefined;

/**
 * A value as Pulumi keeps it in a stack's file, encrypted with the passphrase: AES-256-GCM with a key by PBKDF2. `pulumi
 * config set --secret` makes the same of it in a process of its own, which derives the key each time.
 */
export async function encrypted(text: string): Promise<string> {
  key ??= promisify(pbkdf2)(PASSPHRASE, SALT, 1_000_000, 32, "sha256");
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", await key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}

/** What a stack's file says of the key: its salt, and a text by which Pulumi knows whether a passphrase is right. */
export const encryptionSalt = async () => `v1:${SALT.toString("base64")}:${await encrypted("pulumi")}`;
