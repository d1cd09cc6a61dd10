import { type Anchored, anchorHead } from "../../../audit/evidence/anchoring";
import { type AnchorPlace, placeOf } from "../../../audit/evidence/places";
import { sshPublicKey, sshSigner } from "../../../clients/ssh-signature";
import { timestampOf } from "../../../clients/timestamp";
import { transitPublicKeys, transitSigner } from "../../../clients/transit-signature";
import type { EvidenceConfig, SignConfig } from "../../../config/schema";
import type { Signer } from "../../../core/dsse";
import { messageOf } from "../../../core/errors";
import { schemaOf } from "../../../stores/schemas";
import { readLog } from "../audit-log";
import { UsageError } from "../errors";
import type { Project } from "../project";
import { type Outline, readOutline } from "../settings";

/** A stack that has the config key `evidence`. */
export type EvidenceOutline = Outline & { readonly evidence: EvidenceConfig };

/** @throws UsageError without the config key `evidence` */
export async function readEvidenceOutline(project: Project): Promise<EvidenceOutline> {
  const outline = await readOutline(project);
  const { evidence } = outline;
  if (evidence !== undefined) return { ...outline, evidence };
  throw new UsageError(
    "no key signs evidence: set the config key `evidence`, such as { sign: { kind: ssh, file: /etc/rotation/evidence_ed25519 } } (docs/evidence.md)",
  );
}

/** What signs a stack's evidence. */
export function evidenceSigner({ store, evidence: { sign } }: EvidenceOutline): Signer {
  return sign.kind === "ssh" ? sshSigner(sign.file) : transitSigner(vaultFor(store, sign), sign.mount, sign.name);
}

function vaultFor(store: Outline["store"], { address }: Extract<SignConfig, { readonly kind: "vault-transit" }>) {
  const place = schemaOf(store).vault(store);
  return address === undefined ? { ...place } : { ...place, address };
}

/** The public part of the key that signs, as `rotation evidence verify --key` reads it. @throws UsageError, StepError */
export async function evidenceKey(project: Project): Promise<string> {
  const { store, environment, evidence } = await readEvidenceOutline(project);
  const { sign } = evidence;
  if (sign.kind === "ssh") return `rotation@${environment} ${await sshPublicKey(sign.file)}`;
  return transitPublicKeys(vaultFor(store, sign), sign.mount, sign.name);
}

/** Where a stack's anchors are, by name. */
export const anchorPlaces = ({ evidence }: EvidenceOutline, stack: string): Record<string, AnchorPlace> =>
  Object.fromEntries(Object.entries(evidence.anchors).map(([name, config]) => [name, placeOf(config, stack)]));

/** Notes the end of the audit log in every place of the config. @throws UsageError without `evidence`, AuditLogError */
export async function anchorNow(project: Project, given?: EvidenceOutline): Promise<Anchored> {
  const outline = given ?? (await readEvidenceOutline(project));
  const { stack } = project;
  const url = outline.evidence.timestamp?.url;
  const about = {
    ...{ stack, signer: evidenceSigner(outline), places: anchorPlaces(outline, stack), now: new Date() },
    ...(url === undefined ? {} : { stamp: (digest: string) => timestampOf(url, digest) }),
  };
  const done = await readLog(outline, (client) => anchorHead(client, about));
  return done ?? { newest: undefined, added: false, failed: {} };
}

/** What to say of an anchor that is missing; it never makes a finished run fail. */
export async function anchorAfterRun(project: Project, note: (text: string) => void): Promise<void> {
  const again = "noted by the next run, or `rotation evidence anchor`";
  try {
    const outline = await readOutline(project);
    const { evidence } = outline;
    if (evidence === undefined || Object.keys(evidence.anchors).length === 0) return;
    const { failed } = await anchorNow(project, { ...outline, evidence });
    for (const [name, error] of Object.entries(failed))
      note(`the audit log's end is not noted in ${name}: ${error}; ${again}`);
  } catch (error) {
    note(`the audit log's end is not noted outside of the database: ${messageOf(error)}`);
  }
}
