import * as z from "zod";
import { parseDuration } from "../../core/duration";
import { duration, settings } from "../../core/schema-parts";
import { passwordSettings, withRole } from "../postgres-password/schema";
import { vaultConnection, withConnection } from "../vault-engine/schema";

const statements = z.array(z.string().min(1)).min(1, "expected at least one SQL statement");

/** Logins that Vault makes for a short time. */
export const vaultDynamicPassword = settings({
  ...passwordSettings,
  /**
   * Vault's database secrets engine makes a login for each service on request, and ends it. `role` stays the owner of
   * all objects; a service reads `<mount>/creds/<service>-<connection>` and renews its lease.
   */
  strategy: z.literal("vault-dynamic"),
  vault: vaultConnection,
  /** How long a lease lasts from one renewal to the next. Default 1h. A change rotates. */
  defaultTtl: duration.default(parseDuration("1h")),
  /** The longest life of a login, including renewals. Default 24h. A change rotates. */
  maxTtl: duration.default(parseDuration("24h")),
  /**
   * The SQL that makes a login, with Vault's {{name}}, {{password}} and {{expiration}}. Default: a member of `role` that
   * acts as it from login on and expires. A change rotates.
   */
  creationStatements: statements.optional(),
  /** The SQL that ends a login. Default: forbid new sessions, end open ones, drop the role. A change rotates. */
  revocationStatements: statements.optional(),
})
  .transform(withRole)
  .transform(withConnection);

/** Logins that Vault makes for a short time. */
export type VaultDynamicConfig = z.output<typeof vaultDynamicPassword>;
