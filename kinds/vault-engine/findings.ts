import { messageOf } from "../../core/errors";
import type { About, Finding, StackView } from "../kind-operations";

/** Vault's database engine does not have a role that this stack made. */
export const roleGone = ({ name }: Pick<StackView, "name">, path: string, whose: string, about: About): Finding =>
  about({
    cause: `Vault has no role for ${whose} any more`,
    evidence: `nothing at ${path}`,
    command: `pulumi up --refresh --stack ${name}`,
    hint: "makes it again; find out who removed it",
  });

/** While Vault cannot be queried, nothing is known about what it makes. */
export const noAnswer = (error: unknown, about: About): Finding =>
  about({ cause: "Vault cannot be queried", evidence: messageOf(error), command: "vault status" });
