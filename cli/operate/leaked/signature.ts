import { createHmac, timingSafeEqual } from "node:crypto";
import { UsageError } from "../errors";

/** The variable with the secret of GitHub's webhook. */
export const WEBHOOK_SECRET = "GITHUB_WEBHOOK_SECRET";

/**
 * Verifies that GitHub sent a webhook: an HMAC-SHA256 of the body's bytes as they came. Without a key nothing is verified.
 *
 * @param signature its header X-Hub-Signature-256
 * @param isWebhook whether the input is one of GitHub's
 * @throws UsageError if it is not GitHub's, or if key, signature or webhook is missing
 */
export function verifySignature(
  body: Buffer,
  { signature, key, isWebhook }: { signature: string | undefined; key: string | undefined; isWebhook: boolean },
): void {
  if (signature === undefined) {
    if (!key || !isWebhook) return;
    throw new UsageError(
      `${WEBHOOK_SECRET} is set, so a webhook of GitHub needs its signature, found none; nothing was compared. Give its header X-Hub-Signature-256 with --signature, or unset the variable`,
    );
  }
  if (!key)
    throw new UsageError(
      `--signature needs the webhook's secret in the environment variable ${WEBHOOK_SECRET}, found none; nothing was compared`,
    );
  if (!isWebhook)
    throw new UsageError(
      "--signature is for a webhook of GitHub's secret scanning, found something else; nothing was compared",
    );
  const expected = Buffer.from(`sha256=${createHmac("sha256", key).update(body).digest("hex")}`);
  const found = Buffer.from(signature.trim());
  if (expected.length === found.length && timingSafeEqual(expected, found)) return;
  throw new UsageError(
    `the signature does not fit the webhook and ${WEBHOOK_SECRET}: GitHub did not send it, or its body was changed (save the bytes as they came, without formatting); nothing was compared`,
  );
}
