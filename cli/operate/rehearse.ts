import { redact } from "../../core/redact";
import type { RehearsalRow } from "../../core/rehearsal";
import { operationsOf } from "../../kinds/operations";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { secretsToRedact } from "./secrets";
import { readStack } from "./stack";

/** The rehearsal of one secret. */
export interface RehearsalResult {
  readonly secret: string;
  readonly ok: boolean;
  /** Why there are no rows. */
  readonly note?: string;
  readonly rows: readonly RehearsalRow[];
}

/** Goes every reader's way with the login in use. Changes nothing. @throws ConfigError, UsageError */
export async function rehearseAll(project: Project, names: readonly string[]): Promise<RehearsalResult[]> {
  const stack = await readStack(project);
  const secrets = secretsToRedact(project, stack.config);
  return Promise.all(
    secretsNamed(stack.config, names).map(async (secret): Promise<RehearsalResult> => {
      const { name } = secret;
      const { rehearse } = operationsOf(secret);
      if (rehearse === undefined) return { secret: name, ok: true, rows: [], note: NONE };
      const state = stack.outputs[name]?.state;
      if (state === undefined) return { secret: name, ok: true, rows: [], note: "this stack has not adopted it yet" };
      const found = await rehearse(stack, secret, state);
      const rows = found.map((row) => ({
        ...row,
        ...{
          login: redact(row.login, secrets),
          rights: redact(row.rights, secrets),
          store: redact(row.store, secrets),
        },
      }));
      return { secret: name, ok: rows.every(({ verdict }) => verdict !== "differs"), rows };
    }),
  );
}

const NONE = "nothing is rehearsed for this kind (docs/rehearsal.md)";
