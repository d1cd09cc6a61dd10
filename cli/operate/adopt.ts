import { storeOf } from "../../components/stored-values";
import type { Config, SecretConfig } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { redact } from "../../core/redact";
import { type Request, RequestRefusedError } from "../../core/request";
import { activeGeneration, adoptedGeneration, slotOf } from "../../core/state";
import { decideSecret, type KnownState } from "../../kinds";
import type { Adoption } from "../../kinds/kind-operations";
import { operationsOf } from "../../kinds/operations";
import { storeClient } from "../../stores";
import { knownOf } from "./decisions";
import { type Deployment, Engine } from "./engine";
import { UsageError } from "./errors";
import { readOutputs, type SecretOutput } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { runPulumi } from "./pulumi";
import { clockOf, readConfig } from "./settings";

/** What became of one secret. */
export interface Adopted {
  readonly secret: string;
  readonly outcome: "adopted" | "was there already" | "not needed" | "waits";
  /** The version that the store has; null where it was not asked. */
  readonly version: string | null;
  readonly detail: string;
}

/** How a value is adopted: not at all, by the config key `adopted` alone, or by that and a request. */
export type Way =
  | { readonly way: "none"; readonly outcome: Adopted["outcome"]; readonly detail: string }
  | { readonly way: "value" | "request"; readonly detail: string };

/** What an adoption looks at. */
interface Context {
  readonly project: Project;
  readonly config: Config;
  readonly engine: Engine;
  readonly outputs: Readonly<Record<string, SecretOutput>>;
  readonly deployment: Deployment;
}

/**
 * Copies the value in use from the store into the secret config key `adopted`: before a stack's first update, so that
 * the very first rotation can be rolled back too; later where an external write is to be kept, together with the request
 * that adopts it, where one is needed. The value is proven by a login first; it travels by stdin and is never printed.
 *
 * @throws UsageError where the store has none, where the value does not log in, and where a request would be refused
 */
export async function adopt(project: Project, names: readonly string[]): Promise<Adopted[]> {
  const [config, engine] = await Promise.all([readConfig(project), Engine.open(project)]);
  const [outputs, deployment] = await Promise.all([readOutputs(project), engine.exportState()]);
  const context = { project, config, engine, outputs, deployment };
  const results: Adopted[] = [];
  // The config has room for one request.
  let pending = pendingRequest(config, outputs);
  for (const secret of secretsNamed(config, names)) {
    const { adoption } = operationsOf(secret);
    if (typeof adoption === "string") {
      results.push({ secret: secret.name, outcome: "not needed", version: null, detail: adoption });
      continue;
    }
    const result = await adoptOne(context, secret, adoption, pending);
    results.push({ secret: secret.name, ...result.adopted });
    pending = result.request ?? pending;
  }
  return results;
}

/** The request in the config, where no update has handled it yet. */
function pendingRequest({ request }: Config, outputs: Context["outputs"]): Request | undefined {
  return request === undefined || outputs[request.secret]?.state?.handledRequest === request.id ? undefined : request;
}

async function adoptOne(
  context: Context,
  secret: SecretConfig,
  { isOurs, prove }: Adoption<SecretConfig>,
  pending: Request | undefined,
): Promise<{ readonly adopted: Omit<Adopted, "secret">; readonly request?: Request }> {
  const { project, config, engine } = context;
  const store = storeClient(storeOf(config));
  const stored = await store.read(secret.name);
  if (stored === undefined) {
    throw new UsageError(
      `${secret.name} is not in the store: write the value in use there first, or set the config key \`adopted\` by hand. ` +
        "Nothing was adopted.",
    );
  }
  const { version, value, content } = stored;
  if (value === undefined) {
    const why = content.kind === "value" ? "" : content.why;
    throw new UsageError(
      `${secret.name} cannot be adopted: version ${version}: ${why}: ${store.advice(secret.name)}. Nothing was adopted.`,
    );
  }
  const known = knownOf(context.outputs, context.deployment.deployment.resources ?? [], secret.name);
  const begun = unfinishedOf(known.finished, known.recorded);
  const states = [known.finished, begun].filter((state) => state !== undefined);
  const stack = { config, resources: context.deployment.deployment.resources ?? [] };
  const found = { version, value };
  const ours = isOurs(stack, secret, states, value);
  const adoption = adoptionOf(known, ours, config.adopted[secret.name] === value);
  const { detail } = adoption;
  if (adoption.way === "none") return { adopted: { outcome: adoption.outcome, version, detail } };
  const { user, failure } = await prove(secret, begun ?? known.finished, value);
  if (failure !== undefined) throw notProven(secret, version, user, failure);
  if (adoption.way === "value") {
    await setAdopted(project, secret.name, value);
    return { adopted: { outcome: "adopted", version, detail } };
  }
  if (pending !== undefined) return { adopted: { outcome: "waits", version, detail: waitsFor(project, pending) } };
  const request = requestOf(config, secret, known, found);
  await setAdopted(project, secret.name, value);
  await engine.configure("request", request);
  const next = `${detail}; \`rotation run --stack ${project.stack}\` adopts it as the one in use`;
  return { adopted: { outcome: "adopted", version, detail: next }, request };
}

const waitsFor = ({ stack }: Project, { id, secret }: Request) =>
  `the config has room for one request, and ${id} for ${secret} is not carried out yet: \`rotation run --stack ${stack}\`, then this again`;

/** How the store's value is adopted, as the secret stands. Pure. */
export function adoptionOf({ finished, recorded }: KnownState, ours: boolean, isAdopted: boolean): Way {
  const begun = unfinishedOf(finished, recorded);
  const state = begun ?? finished;
  const nothing = (outcome: Adopted["outcome"], detail: string) => ({ way: "none" as const, outcome, detail });
  if (ours) return nothing("not needed", "this stack manages it and wrote that value itself");
  if (finished === undefined || state === undefined) {
    return isAdopted
      ? nothing("was there already", "the same value")
      : { way: "value", detail: "the first rotation can be rolled back to it" };
  }
  const [active, adopted] = [activeGeneration(state), adoptedGeneration(state)];
  if (active === adopted && begun === undefined) {
    return isAdopted
      ? nothing("was there already", `it is generation ${active}, which is in use`)
      : {
          way: "value",
          detail:
            `generation ${active}, which is in use, is the config's \`adopted\`, and that is this value now: no request ` +
            "is needed; restart services that still hold another one",
        };
  }
  if (isAdopted && slotOf(state, adopted) !== undefined) {
    return nothing(
      "not needed",
      `it is the value of generation ${adopted}: a rollback to that makes it the one in use`,
    );
  }
  return { way: "request", detail: "it is an external write" };
}

/** What the store holds. */
interface Found {
  readonly version: string;
  readonly value: string;
}

/** A value that was tried and does not work is never adopted. */
const notProven = ({ name }: SecretConfig, version: string, user: string, failure: string) =>
  new UsageError(
    `${name}: version ${version} of the store was tried and is not adopted: ${failure}. Expected a value that ${user} ` +
      "logs in with, as the services do. Write that one into the store, then run this again; or overwrite what is there: " +
      `\`rotation run ${name} --force\`. Nothing was changed.`,
  );

/** The request that adopts the value: one that the update will not refuse. @throws UsageError */
function requestOf(config: Config, secret: SecretConfig, known: KnownState, { version, value }: Found): Request {
  const request: Request = {
    id: `adopt-${new Date().toISOString()}`,
    secret: secret.name,
    adopt: true,
    reason: `version ${version} of the store, an external write, is kept`,
  };
  const asked = { ...config, adopted: { ...config.adopted, [secret.name]: value }, request };
  try {
    decideSecret(asked, secret, known, clockOf(config));
    return request;
  } catch (error) {
    throw error instanceof RequestRefusedError ? new UsageError(error.message) : error;
  }
}

async function setAdopted(project: Project, name: string, value: string): Promise<void> {
  const args = ["config", "set", "--secret", "--path", `adopted["${name}"]`];
  const { exitCode, stderr } = await runPulumi(project, args, value);
  if (exitCode !== 0) {
    throw new UsageError(
      `pulumi config set --secret --path 'adopted["${name}"]' failed: ${redact(stderr.trim(), [value])}`,
    );
  }
}
