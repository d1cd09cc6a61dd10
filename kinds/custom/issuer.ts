import * as z from "zod";
import { messageOf } from "../../core/errors";
import type { Issuer, Patience, Values, Verdict } from "../issuer/issuer";
import { askCommand, CommandError } from "./protocol";
import { PROTOCOL } from "./schema";

/** The commands of a secret, as a step's input has them. */
export const commandsReference = z.object({
  secretName: z.string(),
  fields: z.array(z.string()),
  commands: z.object({ issue: z.string(), verify: z.string(), revoke: z.string() }).partial(),
  variables: z.array(z.string()),
  directory: z.string().optional(),
  /** Milliseconds that one command may take. */
  timeout: z.number(),
});

export type CommandsReference = z.output<typeof commandsReference>;

/** An issuer that is asked by commands of the user's own. */
export class CommandIssuer implements Issuer {
  /** The commands promise it (`same-id`). */
  readonly repeats = true;

  constructor(private readonly reference: CommandsReference) {}

  async verify(values: Values, { limit }: Patience = {}): Promise<Verdict> {
    const { timeout } = this.reference;
    try {
      const asked = { action: "verify", ...this.about, values: { ...values } } as const;
      const { answer, identity, evidence } = await askCommand(this.reference, asked, {
        limit: Math.min(limit ?? timeout, timeout),
      });
      const said = { evidence: evidence ?? `the command for verify answers ${answer}` };
      return answer === "works" ? { answer, ...said, identity } : { answer, ...said };
    } catch (error) {
      if (error instanceof CommandError) return { answer: "unknown", evidence: messageOf(error) };
      throw error;
    }
  }

  async issue(id: string): Promise<Values> {
    return (await askCommand(this.reference, { action: "issue", ...this.about, id })).values;
  }

  async revoke(values: Values, id: string): Promise<void> {
    await askCommand(this.reference, { action: "revoke", ...this.about, id, values: { ...values } });
  }

  private get about() {
    const { secretName: secret, fields } = this.reference;
    return { protocol: PROTOCOL, secret, fields } as const;
  }
}
