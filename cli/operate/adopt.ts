import { storeOf } from "../../components/stored-values";
import { type Config, documentsOf, PROJECT, pathsOf, type SecretConfig } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { redact } from "../../core/redact";
import { type Request, RequestRefusedError } from "../../core/request";
import { activeGeneration, adoptedGeneration, slotOf } from "../../core/state";
import { decideSecret, type KnownState } from "../../kinds";
import type { Adoption, Recognised } from "../../kinds/kind-operations";
import { operationsOf } from "../../kinds/operations";
import { storeClient } from "../../stores";
import { flawOf } from "../../stores/entries";
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
  /** The version in the store; null if the store was not read. */
  readonly version: string | null;
  readonly detail: string;
}

/** How a value is adopted: not at all, by the config key `adopted` alone, or by that and a request. */
export type Way =
  | { readonly way: "none"; readonly outcome: Adopted["outcome"]; readonly detail: string }
  | { readonly way: "value" | "request"; readonly detail: string };

/** What an adoption works with. */
interface Context {
  readonly project: Project;
  readonly config: Config;
  readonly engine: Engine;
  readonly outputs: Readonly<Record<string, SecretOutput>>;
  readonly deployment: Deployment;
}

/**
 * Copies the value in use from the store into the secret config key `adopted`: before a stack's first update, so that
 * the very first rotation can be rolled back too; later to keep an external write, together with the request that adopts
 * it, if one is needed. A login with the value comes first; the value travels by stdin and is never printed.
 *
 * @throws UsageError if the store has no value, the value does not log in, or the request would be refused
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

/** The request in the config, unless an update has handled it. */
function pendingRequest({ request }: Config, outputs: Context["outputs"]): Request | undefined {
  return request === undefined || outputs[request.secret]?.state?.handledRequest === request.id ? undefined : request;
}

async function adoptOne(
  context: Context,
  secret: SecretConfig,
  { isOurs, prove, recognise }: Adoption<SecretConfig>,
  pending: Request | undefined,
): Promise<{ readonly adopted: Omit<Adopted, "secret">; readonly request?: Request }> {
  const { project, config, engine } = context;
  const store = storeClient(storeOf(config));
  // Behind the user name, if that has a path of its own.
  const path = pathsOf(secret).at(-1) ?? secret.name;
  const stored = await store.read(path);
  if (stored === undefined) {
    throw new UsageError(
      `${path} is not in the store: write the value in use there first, or set the config key \`adopted\` by hand. ` +
        "Nothing was adopted.",
    );
  }
  const { version } = stored;
  const keys = documentsOf(secret).documents?.[path];
  const recognised =
    stored.document === undefined || (keys === undefined && stored.value !== undefined)
      ? undefined
      : recognise(secret, stored.document);
  const value = keys === undefined ? (stored.value ?? recognised?.value) : recognised?.value;
  if (value === undefined) {
    const why = flawOf(stored, keys)?.why ?? "no password was recognised in it";
    throw new UsageError(
      `${secret.name} cannot be adopted: version ${version}: ${why}: ${store.advice(path, keys)}. Nothing was adopted.`,
    );
  }
  if (recognised !== undefined && recognised.unclear.length > 0) throw unclear(secret, path, recognised.unclear);
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
  const shape = keys === undefined ? recognised?.config : undefined;
  if (shape !== undefined && known.finished !== undefined) throw anotherShape(secret, version, store.advice(path));
  if (shape !== undefined) await setShape(project, config.secrets.indexOf(secret), shape);
  if (adoption.way === "value") {
    await setAdopted(project, secret.name, value);
    const said = shape === undefined ? detail : `${detail}; ${shapeWords(shape)}`;
    return { adopted: { outcome: "adopted", version, detail: said } };
  }
  if (pending !== undefined) return { adopted: { outcome: "waits", version, detail: waitsFor(project, pending) } };
  const request = requestOf(config, secret, known, found);
  await setAdopted(project, secret.name, value);
  await engine.configure("request", request);
  const next = `${detail}; \`rotation run --stack ${project.stack}\` makes it the active generation`;
  return { adopted: { outcome: "adopted", version, detail: next }, request };
}

/** A key that would keep the old password. */
const unclear = ({ name }: SecretConfig, path: string, keys: readonly string[]) =>
  new UsageError(
    `${name} cannot be adopted: the key ${keys.map((key) => `\`${key}\``).join(", ")} of ${path} contains the password in a form ` +
      "that is not recognised, and would keep the old one. Write a template for it (`format: json` with `extras`, " +
      "docs/secret-shapes.md), or remove it. Nothing was adopted.",
  );

const anotherShape = ({ name }: SecretConfig, version: string, advice: string) =>
  new UsageError(
    `${name} cannot be adopted: version ${version} is a JSON document, and this stack writes one value there: ${advice}. ` +
      "Nothing was adopted.",
  );

/** The shape that was found, in words: names of keys alone. */
const shapeWords = (shape: Recognised["config"]) =>
  `the config says now how the document looks: ${Object.entries(shape)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ")}`;

/** Writes the shape that was found into the secret's config. It holds no secret. */
async function setShape(project: Project, index: number, shape: Recognised["config"]): Promise<void> {
  const set = async (path: string, value: string) => {
    const { exitCode, stderr } = await runPulumi(project, ["config", "set", "--plaintext", "--path", path], value);
    if (exitCode !== 0) throw new UsageError(`pulumi config set --path '${path}' failed: ${stderr.trim()}`);
  };
  const at = `${PROJECT}:secrets[${index}]`;
  for (const [key, value] of Object.entries(shape)) {
    if (typeof value === "string") await set(`${at}.${key}`, value);
    else for (const [name, text] of Object.entries(value)) await set(`${at}.${key}[${JSON.stringify(name)}]`, text);
  }
}

const waitsFor = ({ stack }: Project, { id, secret }: Request) =>
  `the config has room for one request, and ${id} for ${secret} is not carried out yet: run \`rotation run --stack ${stack}\`, then this command again`;

/** How the store's value is adopted, given the secret's state. Pure. */
export function adoptionOf({ finished, recorded }: KnownState, ours: boolean, isAdopted: boolean): Way {
  const begun = unfinishedOf(finished, recorded);
  const state = begun ?? finished;
  const nothing = (outcome: Adopted["outcome"], detail: string) => ({ way: "none" as const, outcome, detail });
  if (ours) return nothing("not needed", "this stack wrote that value");
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
            `generation ${active}, which is in use, is the config's \`adopted\`, and that is now this value: no request ` +
            "is needed; restart the services that still use another one",
        };
  }
  if (isAdopted && slotOf(state, adopted) !== undefined) {
    return nothing("not needed", `it is the value of generation ${adopted}: a rollback to it makes it active again`);
  }
  return { way: "request", detail: "it is an external write" };
}

/** What the store holds. */
interface Found {
  readonly version: string;
  readonly value: string;
}

const notProven = ({ name }: SecretConfig, version: string, user: string, failure: string) =>
  new UsageError(
    `${name}: version ${version} of the store does not work and is not adopted: ${failure}. Expected the value with which ${user} ` +
      "logs in, as the services do. Write it into the store, then run this again; or overwrite what is there: " +
      `\`rotation run ${name} --force\`. Nothing was changed.`,
  );

/** The request that adopts the value. @throws UsageError if the update would refuse it */
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
