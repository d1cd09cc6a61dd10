import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Approved, allowedSigners, readApproval } from "../core/approval";
import { codeOf } from "../core/errors";
import { sshVerifier } from "./ssh-signature";

/** The folder with the approvals, beside `Pulumi.yaml`: each a file that its approver commits. */
export const APPROVALS_FOLDER = "approvals";

/** Each approval's own text. */
export async function approvalTexts(projectDir: string): Promise<string[]> {
  const folder = join(projectDir, APPROVALS_FOLDER);
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  return Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => readFile(join(folder, name), "utf8")),
  );
}

/**
 * Who approved which plan.
 *
 * @param by the approvers' public keys by name
 * @param runner who runs the update, and so does not count
 */
export async function readApprovals(
  projectDir: string,
  by: Readonly<Record<string, string>>,
  runner: string,
): Promise<(Approved & { readonly by: string })[]> {
  const verifier = sshVerifier(allowedSigners(by));
  const read = await Promise.all((await approvalTexts(projectDir)).map((text) => readApproval(text, verifier)));
  return read.flatMap((approval) => (approval === undefined || approval.by === runner ? [] : [approval]));
}
