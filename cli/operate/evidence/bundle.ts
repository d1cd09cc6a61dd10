import { AuditLogError } from "../../../audit/errors";
import { type MadeBundle, makeBundle } from "../../../audit/evidence/make";
import { approvalTexts } from "../../../clients/approvals";
import { operator } from "../../../clients/home";
import { redact } from "../../../core/redact";
import { anchorsOf } from "../audit";
import { readLog } from "../audit-log";
import { OperationError } from "../errors";
import type { Project } from "../project";
import { secretsToRedact } from "../secrets";
import { clockOf, openConfig, readConfig } from "../settings";
import { anchorNow, anchorPlaces, evidenceSigner, readEvidenceOutline } from "./anchor";
import { versionsOf } from "./versions";

/**
 * Makes the evidence of the time until now, after it has noted the end of the log.
 *
 * @param last milliseconds
 * @throws UsageError without the config key `evidence`, OperationError if there is no log or a file would hold a secret
 */
export async function evidenceOf(project: Project, last: number): Promise<MadeBundle> {
  const outline = await readEvidenceOutline(project);
  // A log that was tampered with is not noted anew; its bundle proves what was done.
  const noted = await anchorNow(project, outline).catch((error: unknown) => {
    if (error instanceof AuditLogError) return { failed: { log: error.message } };
    throw error;
  });
  const secrets = secretsToRedact(project, await readConfig(project));
  const to = clockOf(outline);
  const config = asJson(settingsIn(await openConfig(project)));
  const made = await readLog(outline, async (client) =>
    makeBundle(client, {
      about: {
        project: project.name,
        stack: project.stack,
        environment: outline.environment,
        madeBy: operator(project.env),
      },
      from: new Date(to.getTime() - last),
      to,
      madeAt: new Date(),
      state: anchorsOf(project),
      places: anchorPlaces(outline, project.stack),
      signer: evidenceSigner(outline),
      more: new Map([
        ["approvals.jsonl", asLines(await approvalTexts(project.dir))],
        ["config.json", config],
        ["versions.json", asJson(await versionsOf(project, client))],
      ]),
      inspect: (files) => assertNoSecret(files, secrets),
    }),
  );
  if (made !== undefined) return { ...made, failed: { ...noted.failed, ...made.failed } };
  throw new OperationError("there is no secret_rotation_log yet: the first `rotation run` creates it");
}

const asLines = (texts: readonly string[]) => Buffer.from(texts.map((text) => `${text.trim()}\n`).join(""));
const asJson = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

/** The keys in their order, each value as what it is. */
function settingsIn(raw: Readonly<Record<string, string>>): Record<string, unknown> {
  const read = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };
  const keys = Object.keys(raw).sort();
  return Object.fromEntries(keys.map((key) => [key, read(raw[key] ?? "")]));
}

function assertNoSecret(files: ReadonlyMap<string, Buffer>, secrets: readonly string[]): void {
  for (const [name, bytes] of files) {
    const text = bytes.toString("utf8");
    if (redact(text, secrets) !== text)
      throw new OperationError(`${name} would hold a secret of the config or the environment; no bundle was written`);
  }
}
