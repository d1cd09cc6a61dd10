import { policyOf, type SecretConfig } from "../../config";
import { recordedOf, type StateResource } from "../../core/begun";
import type { Decision } from "../../core/decide";
import { RequestRefusedError } from "../../core/request";
import { decideSecret, kindFor } from "../../kinds";
import { operationsOf } from "../../kinds/operations";
import { readOutputs, type SecretOutput } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { clockOf, type Outline, readOutline, readRequest } from "./settings";
import { readResources } from "./state-resources";
import { needsRotation, statusOf } from "./status";

/** Something that an update would do now. */
export interface Due {
  readonly secret: string;
  /** `unfinished`, `rotation`, `request`, `grace period over`, or a reason of its kind alone. */
  readonly why: string;
}

/** What is due, and what would be if a previous login were not still in use. */
export interface WhatIsDue {
  readonly due: readonly Due[];
  /** Previous logins that are kept: who uses them and until when, in words. */
  readonly kept: readonly string[];
  /** What waits for the calendar, in words. */
  readonly waiting: readonly string[];
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
  // Before anything is decided: the decision rests on it. A look that fails is none, and the login stays.
  const { watchBeforeDue } = await import("./watch");
  const looks = await watchBeforeDue(outline, (name) => outputs[name]?.state);
  const failed = looks.flatMap(({ secret, error }) =>
    error === undefined ? [] : [`${secret}: who uses its previous login could not be seen: ${error}`],
  );
  const found = wanted.map(async (secret) => {
    const known = { output: outputs[secret.name], request, resources };
    const why = await dueOf(outline, secret, known);
    return why === undefined ? [] : [{ secret: secret.name, why }];
  });
  const all = (await Promise.all(found)).flat();
  const waiting = all.flatMap(({ secret, why }) => (typeof why === "string" ? [] : [`${secret} ${why.waits}`]));
  const due = all.flatMap(({ secret, why }) => (typeof why === "string" ? [{ secret, why }] : []));
  const acting = due.map(({ secret }) => secret);
  const kept = wanted.map(async (secret): Promise<string[]> => {
    const state = outputs[secret.name]?.state;
    if (state === undefined || acting.includes(secret.name)) return [];
    const found = await operationsOf(secret).kept(secret, state, policyOf(outline, secret), {
      config: outline,
      now: clockOf(outline),
    });
    return found === undefined ? [] : [found.words];
  });
  return { due, kept: [...failed, ...(await Promise.all(kept)).flat()], waiting };
}

/** What decides whether a secret is due. */
interface Known {
  readonly output: SecretOutput | undefined;
  readonly request: Awaited<ReturnType<typeof readRequest>>;
  readonly resources: readonly StateResource[];
}

async function dueOf(
  outline: Outline,
  secret: SecretConfig,
  { output, request, resources }: Known,
): Promise<Due["why"] | { readonly waits: string } | undefined> {
  const finished = output?.state;
  const now = clockOf(outline);
  // An update without a request says what is missing, such as a new pair for a key that is due.
  const [status] = statusOf(
    { ...outline, secrets: [secret] },
    output ? { [secret.name]: output } : {},
    { rows: [] },
    now,
  );
  const asked = request?.secret === secret.name && request.id !== finished?.handledRequest;
  const config = { ...outline, request, ...knownKeys(secret, finished?.labels[finished.active]) };
  const known = { finished, recorded: recordedOf(resources, secret.name) };
  const seen = await kindFor(secret).observe(secret, { config, now, ...known });
  try {
    const decision = decideSecret(config, secret, known, now, seen);
    if (decision.resumes) return "unfinished";
    if (asked) return "request";
    if (decision.waits !== undefined && decision.action === undefined) return { waits: decision.waits };
    if (status !== undefined && needsRotation([status])) return "rotation";
    return whyOf(decision, secret);
  } catch (error) {
    // The run says why.
    if (error instanceof RequestRefusedError) return "request";
    throw error;
  }
}

function whyOf({ action, state }: Decision, secret: SecretConfig): Due["why"] | undefined {
  if (action === undefined) return undefined;
  if (action === "REVOKE") return "grace period over";
  return state.byAge || action === "ADOPT" ? "rotation" : operationsOf(secret).otherwise;
}

/** Secrets are not decrypted here: a value that may be there counts as there, and a pair as the one in use. */
function knownKeys({ name }: SecretConfig, label: string | null | undefined) {
  const current = { label: label ?? "", keyId: "", secretKey: "", values: {} };
  return { adopted: { [name]: "" }, alpacaKeys: { [name]: { current } }, apiKeys: { [name]: { current } } };
}

/** @returns the names. @throws UsageError for one that the config does not have */
export async function checkNames(project: Project, names: readonly string[]): Promise<readonly string[]> {
  if (names.length > 0) secretsNamed(await readOutline(project), names);
  return names;
}
