import { redact } from "../../../core/redact";
import { activeGeneration } from "../../../core/state";
import { operationsOf } from "../../../kinds/operations";
import type { Stack } from "../stack";
import type { LeakText } from "./findings";
import type { FoundLeak } from "./leak";

/** Logins that another system made for readers of this stack's secrets, found by their names and tried. */
export async function loginsIn(stack: Stack, texts: readonly LeakText[]): Promise<FoundLeak[]> {
  const found: FoundLeak[] = [];
  for (const secret of stack.config.secrets) {
    const { madeElsewhere } = operationsOf(secret);
    const state = stack.outputs[secret.name]?.state;
    if (madeElsewhere === undefined || state === undefined) continue;
    const logins = new Map<string, { passwords: Set<string>; where: Set<string> }>();
    for (const { where, text } of texts) {
      for (const { username, passwords } of await madeElsewhere.find(secret, text)) {
        const before = logins.get(username) ?? { passwords: new Set(), where: new Set() };
        for (const password of passwords) before.passwords.add(password);
        logins.set(username, { ...before, where: before.where.add(where) });
      }
    }
    for (const [username, { passwords, where }] of logins) {
      const again = () => madeElsewhere.tried(secret, { username, passwords: [...passwords] });
      const answer = await again();
      const isDead = answer.answer === "refused";
      const about = {
        secret: secret.name,
        part: "login",
        username,
        where: [...where].map((place) => redact(place, [...passwords])),
      };
      const generation = isDead ? null : activeGeneration(state);
      found.push({ leak: { ...about, generation, standing: isDead ? "ended" : "in use", ...answer }, again });
    }
  }
  return found;
}
