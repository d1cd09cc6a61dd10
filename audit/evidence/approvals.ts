import * as z from "zod";
import { sshVerifier } from "../../clients/ssh-signature";
import { allowedSigners, readApproval } from "../../core/approval";
import { type ChainRow, fieldIndex } from "../canonical";

const named = z.object({ plan: z.string(), approvedBy: z.array(z.string()) });
const settings = z.object({ "secret-rotation:approvals": z.object({ by: z.record(z.string(), z.string()) }) });

const [SECRET, STACK, OUTPUTS] = [fieldIndex("secretName"), fieldIndex("stack"), fieldIndex("outputs")];

/**
 * Each row that names an approval which the bundle does not have, signed by the approver's key over the plan's hash.
 *
 * @param config the bundle's, with the approvers' keys
 * @param texts an approval each
 */
export async function approvalProblems(
  rows: readonly ChainRow[],
  stack: string,
  config: string,
  texts: readonly string[],
): Promise<string[]> {
  const claims = rows.flatMap((row) => {
    const found = row.fields[STACK] === stack ? named.safeParse(JSON.parse(row.fields[OUTPUTS] ?? "null")) : undefined;
    return found?.success ? [{ id: row.id, secret: row.fields[SECRET], ...found.data }] : [];
  });
  if (claims.length === 0) return [];
  const by = settings.safeParse(JSON.parse(config)).data?.["secret-rotation:approvals"].by ?? {};
  const verifier = sshVerifier(allowedSigners(by));
  const given = await Promise.all(texts.map((text) => readApproval(text, verifier)));
  return claims.flatMap(({ id, secret, plan, approvedBy }) => {
    const has = (name: string) => given.some((one) => one?.by === name && one.plan === plan && one.secret === secret);
    return approvedBy.filter((name) => !has(name)).map((name) => `row ${id}: no approval of its plan by ${name}`);
  });
}
