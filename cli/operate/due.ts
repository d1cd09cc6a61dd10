import { isRotatedByVault, policyOf, type SecretConfig } from "../../config";
import { recordedOf, type StateResource } from "../../core/begun";
import type { Decision } from "../../core/decide";
import { RequestRefusedError } from "../../core/request";
import { decideSecret } from "../../kinds";
import { keptLogin, seeOldLogins } from "../../kinds/postgres-password/old-logins";
import { readOutputs, type SecretOutput } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { clockOf, type Outline, readOutline, readRequest } from "./settings";
import { readResources } from "./state-resources";
import { needsRotation, statusOf } from "./status";
import { unseenRotation } from "./vault-facts";

/** Something that an update would do now. */
export interface Due {
  readonly secret: string;
  readonly why: "unfinished" | "rotation" | "rotated by Vault" | "definition changed" | "grace period over" | "request";
}

/** What is due, and what would be but for somebody who still uses a login. */
export interface WhatIsDue {
  readonly due: readonly Due[];
  /** Old logins that are kept, who uses them and until when, in words. */
  readonly kept: readonly string[];
}

/**
 * What an update would do now to the named secrets, or to all, without asking the engine.
 * @throws ConfigError, UsageError
 */
export async function whatIsDue(project: Project, names: readonly string[]): Promise<WhatIsDue> {
  const [outline, outputs, request, resources] = await Promise.all([
    readOutline(project),
    readOutputs(project),
    readRequest(project),
    readResources(project),
  ]);
  const wanted = secretsNamed(outline, names);
  const inUse = await seeOldLogins(outline, outputs, clockOf(outline));
  const found = wanted.map(async (secret): Promise<Due[]> => {
    const known = { output: outputs[secret.name], request, resources, previousInUse: inUse[secret.name] };
    const why = await dueOf(outline, secret, known);
    return why === undefined ? [] : [{ secret: secret.name, why }];
  });
  const due = (await Promise.all(found)).flat();
  const acting = due.map(({ secret }) => secret);
  const kept = wanted.flatMap((secret) => {
    const state = outputs[secret.name]?.state;
    if (state === undefined || acting.includes(secret.name)) return [];
    return keptLogin(secret, state, inUse[secret.name], policyOf(outline, secret)) ?? [];
  });
  return { due, kept };
}

/** What is known of a secret when it is asked whether it is due. */
interface Known {
  readonly output: SecretOutput | undefined;
  readonly request: Awaited<ReturnType<typeof readRequest>>;
  readonly resources: readonly StateResource[];
  /** Who uses the previous login, once its grace period is over. */
  readonly previousInUse: string | undefined;
}

async function dueOf(
  outline: Outline,
  secret: SecretConfig,
  { output, request, resources, previousInUse }: Known,
): Promise<Due["why"] | undefined> {
  const finished = output?.state;
  const now = clockOf(outline);
  // An update that is asked for nothing says what is missing: a key that is due and has no new pair is told so.
  const [status] = statusOf(
    { ...outline, secrets: [secret] },
    output ? { [secret.name]: output } : {},
    { rows: [] },
    now,
  );
  const asked = request?.secret === secret.name && request.id !== finished?.handledRequest;
  const rotation =
    isRotatedByVault(secret) && finished !== undefined ? await unseenRotation(outline, secret, finished) : undefined;
  try {
    const decision = decideSecret(
      { policy: outline.policy, request, ...knownKeys(secret, finished?.labels[finished.active]) },
      secret,
      { finished, recorded: recordedOf(resources, secret.name) },
      now,
      { rotation, previousInUse },
    );
    if (decision.resumes) return "unfinished";
    if (asked) return "request";
    if (status !== undefined && needsRotation([status])) return "rotation";
    return whyOf(decision, rotation);
  } catch (error) {
    // The run says why.
    if (error instanceof RequestRefusedError) return "request";
    throw error;
  }
}

function whyOf({ action, state }: Decision, rotation: string | undefined): Due["why"] | undefined {
  if (action === undefined) return undefined;
  if (action === "REVOKE") return "grace period over";
  if (rotation !== undefined && !state.forced) return "rotated by Vault";
  return state.byAge || action === "ADOPT" ? "rotation" : "definition changed";
}

/** Secrets are not decrypted here: a value that may be there is, and a pair is the one in use. */
function knownKeys({ name }: SecretConfig, label: string | null | undefined) {
  const pair = { label: label ?? "", keyId: "", secretKey: "" };
  return { adopted: { [name]: "" }, alpacaKeys: { [name]: { current: pair } } };
}

/** The names as they are. @throws UsageError for one that the config does not have */
export async function checkNames(project: Project, names: readonly string[]): Promise<readonly string[]> {
  if (names.length > 0) secretsNamed(await readOutline(project), names);
  return names;
}
