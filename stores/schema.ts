import * as z from "zod";
import { byKind, httpUrl, name, settings, text } from "../core/schema-parts";

const vault = settings({
  /** Which store: HashiCorp Vault or OpenBao. */
  kind: z.literal("vault"),
  /** Default: the environment's VAULT_ADDR. The token is always the environment's (VAULT_TOKEN or ~/.vault-token). */
  address: httpUrl.optional(),
  /** The KV v2 mount. Default `secret`. A change writes every secret to the new mount. */
  mount: name.default("secret"),
});

const aws = settings({
  /** Which store: AWS Secrets Manager. */
  kind: z.literal("aws"),
  /** Where the secrets are, such as `us-east-1`. Credentials are always the environment's. */
  region: text(/^[a-z]{2,}(-[a-z]+)+-\d+$/, "expected a region, such as us-east-1"),
  /**
   * The KMS key that encrypts the secrets: id, ARN or alias. Default: a new secret gets the account's
   * `aws/secretsmanager`, and one that exists keeps its own. A change encrypts every secret anew.
   */
  kmsKeyId: z.string().min(1).optional(),
  /** Days in which a deleted secret can be restored: 7 to 30, and 0 (deleted at once) only in a lab. Default 30. */
  recoveryWindowDays: z
    .number()
    .int()
    .refine((days) => days === 0 || (days >= 7 && days <= 30), {
      error: ({ input }) => `expected 7 to 30 days, or 0 in a lab, found ${input}`,
    })
    .default(30),
  /** Only in a lab: an emulator on a loopback address instead of AWS. */
  endpoint: httpUrl.optional(),
});

/** Where the services read their secrets from. */
export const store = z.discriminatedUnion("kind", [vault, aws], byKind);
