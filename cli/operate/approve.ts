import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { APPROVALS_FOLDER } from "../../clients/approvals";
import { sshPublicKey, sshSigner } from "../../clients/ssh-signature";
import { sealApproval } from "../../core/approval";
import { redact } from "../../core/redact";
import { Engine } from "./engine";
import { OperationError, UsageError } from "./errors";
import { planInWords, type StackPlan } from "./plan-words";
import type { Project } from "./project";
import { environmentSecrets } from "./secrets";
import { readOutline } from "./settings";

/** An approval that was written. */
export interface Approval {
  readonly secret: string;
  readonly plan: string;
  readonly by: string;
  /** Relative to the project's folder; it is to be committed. */
  readonly file: string;
}

/**
 * Approves what an update would do now, with an approver's own SSH key.
 *
 * @param key the key's file
 * @param confirm receives the plan; false approves nothing
 * @throws UsageError if the config asks for no approvals, or the key is none of its approvers'
 */
export async function approve(
  project: Project,
  key: string,
  confirm: (plan: StackPlan) => Promise<boolean>,
): Promise<Approval[]> {
  const outline = await readOutline(project);
  const { approvals } = outline;
  if (approvals === undefined)
    throw new UsageError("this stack asks for no approvals: set the config key `approvals` (docs/evidence.md)");
  const own = (await sshPublicKey(key)).split(" ").slice(0, 2).join(" ");
  const by = Object.keys(approvals.by).find((name) => approvals.by[name]?.startsWith(own));
  if (by === undefined)
    throw new UsageError(`${key} is the key of no approver; approvals.by has ${Object.keys(approvals.by).join(", ")}`);
  const preview = await (await Engine.open(project)).preview(undefined);
  if (!preview.ok) {
    const text = preview.errors.map((error) => error.text).join("\n");
    throw new OperationError(redact(text, environmentSecrets(project.env)));
  }
  const open = preview.plans.filter(({ approvals: found }) => found !== undefined && !found.by.includes(by));
  if (open.length === 0 || !(await confirm(planInWords(project.stack, outline, preview)))) return [];
  await mkdir(join(project.dir, APPROVALS_FOLDER), { recursive: true });
  const written: Approval[] = [];
  for (const { secret, action, to, hash } of open) {
    if (action === undefined || hash === undefined) continue;
    const about = { stack: project.stack, secret, action, generation: to, plan: hash };
    const envelope = await sealApproval(about, new Date(), sshSigner(key));
    const file = join(APPROVALS_FOLDER, `${hash.slice(0, 16)}-${by}.json`);
    await writeFile(join(project.dir, file), `${JSON.stringify(envelope)}\n`);
    written.push({ secret, plan: hash, by, file });
  }
  return written;
}
