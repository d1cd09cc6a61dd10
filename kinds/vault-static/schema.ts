import * as z from "zod";
import { parseDuration } from "../../core/duration";
import { duration, settings, text } from "../../core/schema-parts";
import { passwordSettings, withRole } from "../postgres-password/schema";
import { vaultConnection, vaultName, withConnection } from "../vault-engine/schema";

/** The same minimum as Vault's own. */
const SHORTEST_WINDOW = parseDuration("1h");

/** A password that Vault makes and rotates. */
export const vaultStaticPassword = settings({
  ...passwordSettings,
  /**
   * Vault's database secrets engine rotates the password of an existing role on its own schedule; services read
   * `<mount>/static-creds/<staticRole>` and are restarted after each of its rotations.
   */
  strategy: z.literal("vault-static"),
  vault: vaultConnection,
  /** The static role's name in Vault. Default: the role's name. */
  staticRole: vaultName.optional(),
  /** How often Vault rotates by itself, at least 5s. Either this or `rotationSchedule`. */
  rotationPeriod: duration.optional(),
  /** When Vault rotates by itself, as in cron, in UTC: `0 2 * * SAT`. Only if the server supports schedules. */
  rotationSchedule: text(
    /^\S+( \S+){4}$/,
    "expected five fields as in cron, such as `0 2 * * SAT`, found another number",
  ).optional(),
  /** How long after the scheduled time Vault may still rotate; at least 1h. Only with `rotationSchedule`. */
  rotationWindow: duration
    .refine((window) => window >= SHORTEST_WINDOW, { error: "expected at least 1h, as Vault does" })
    .optional(),
})
  .transform(withRole)
  .transform((secret) => ({ ...withConnection(secret), staticRole: secret.staticRole ?? secret.role }));

/** A database password that Vault makes and rotates. */
export type VaultStaticConfig = z.output<typeof vaultStaticPassword>;
