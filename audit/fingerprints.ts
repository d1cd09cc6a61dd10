import type pg from "pg";
import type { Fingerprint } from "../core/fingerprints";

/** Whose they are. */
export interface FingerprintOwner {
  readonly stack: string;
  readonly environment: string;
}

export type OwnedFingerprint = Fingerprint & FingerprintOwner & { readonly secret: string; readonly recordedAt: Date };

/** Keeps fingerprints of a secret; those that are there already stay. Needs INSERT and SELECT alone. */
export async function keepFingerprints(
  client: pg.ClientBase,
  { stack, environment }: FingerprintOwner,
  secret: string,
  prints: readonly Fingerprint[],
): Promise<void> {
  for (const { generation, part, username, fingerprint, length } of prints) {
    await client.query(
      `INSERT INTO secret_rotation_fingerprints
         (stack, environment, secret_name, generation, part, username, fingerprint, length)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [stack, environment, secret, generation, part, username, fingerprint, length],
    );
  }
}

/** Every fingerprint of a stack. */
export async function fingerprintsOf(
  client: pg.ClientBase,
  { stack, environment }: FingerprintOwner,
): Promise<OwnedFingerprint[]> {
  const { rows } = await client.query<OwnedFingerprint>(
    `SELECT stack, environment, secret_name AS secret, generation, part, username, fingerprint, length,
            recorded_at AS "recordedAt"
     FROM secret_rotation_fingerprints WHERE stack = $1 AND environment = $2 ORDER BY secret_name, generation, part`,
    [stack, environment],
  );
  return rows;
}
