import * as z from "zod";
import { settings, text } from "../core/schema-parts";

/** Who must have approved a plan before an update carries it out. */
export const approvals = settings({
  /** How many of `by` must have approved: 1 or more. Whoever runs the update does not count. */
  required: z.number().int().min(1),
  /**
   * The SSH public keys of those who may approve, by a name of their own: `ssh-ed25519 AAAA...`. A name equal to the one that
   * the audit row of a run has (ROTATED_BY, GITHUB_ACTOR, else the account) does not count in that run.
   */
  by: z.record(
    text(/^[\w.@+-]+$/, "expected a name of letters, digits, _, ., @, + or -"),
    text(/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+( .*)?$/, "expected a public key such as ssh-ed25519 AAAA..."),
  ),
}).superRefine(({ required, by }, context) => {
  const keys = Object.values(by).map((key) => key.split(" ")[1]);
  if (new Set(keys).size < keys.length)
    context.addIssue({
      code: "custom",
      path: ["by"],
      message: "expected a key of its own for each name, found one twice",
    });
  if (keys.length < required) {
    const message = `expected at least ${required} names, as many as must approve, found ${keys.length}`;
    context.addIssue({ code: "custom", path: ["by"], message });
  }
});

export type ApprovalsConfig = z.output<typeof approvals>;
