import { randomBytes } from "node:crypto";

/** Makes a secret for a purpose such as "postgres-admin"; a leak hunt passes its own, which marks what it makes. */
export type SecretGenerator = (purpose: string) => string;

/** 32 characters that need quoting nowhere. */
export const randomSecret: SecretGenerator = () => randomBytes(24).toString("base64url");
