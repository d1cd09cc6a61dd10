import { poll } from "../../clients/poll";
import { StepError } from "../../core/errors";
import type { Issuer, Values } from "./issuer";

export interface EndedKey {
  readonly id: string;
  readonly values: Values;
  /** Milliseconds that the issuer may still accept it afterwards. */
  readonly wait: number;
}

/** Ends a credential, and proves it: the issuer refuses it. @throws StepError */
export async function endKey(issuer: Issuer, { id, values, wait }: EndedKey): Promise<{ readonly evidence: string }> {
  // An update that was rolled back before the issuer had made it.
  if (Object.values(values).includes("")) return { evidence: "it was never in use" };
  if (issuer.revoke === undefined) throw new StepError(`only the operator can end ${id}`);
  await issuer.revoke(values, id);
  const { answer, evidence } = await poll(
    () => issuer.verify(values),
    (verdict) => verdict.answer === "refused",
    { limit: wait, every: 1000 },
  );
  if (answer === "refused") return { evidence };
  throw new StepError(
    `${id} was revoked, and expected the issuer to refuse it within ${Math.ceil(wait / 1000)} s, found that ${evidence}. The new ` +
      "credential is in use everywhere. The next update tries again.",
  );
}
