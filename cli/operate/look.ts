import { askHealth, placeName, placesOf } from "../../components/places";
import { isUnseen, seen, type Unseen } from "../../components/seen";
import { stored } from "../../components/stored-values";
import { type Config, pathsOf, type SecretConfig } from "../../config";
import { begunOf } from "../../core/begun";
import { activationsIn } from "../../core/phases";
import { nameOf, restartName, sharedRestartName, slugOf, tagged } from "../../core/resource-names";
import { type Action, activation, previousGeneration, type SecretState } from "../../core/state";
import { groupsOf } from "../../kinds/decide-together";
import type { Known } from "../../kinds/kind-operations";
import { operationsOf } from "../../kinds/operations";
import { isDocument, isOfEntry } from "../../stores/entries";
import type { StoredValue } from "../../stores/store";
import { readLog } from "./audit-log";
import type { Deployment, ExportedResource } from "./engine";
import type { ServiceSeen, Situation, StoreSeen } from "./situation";

type StateResource = Pick<ExportedResource, "urn" | "inputs" | "outputs">;

/** What {@link lookAt} needs. */
export interface Look {
  readonly config: Config;
  /** The state after the update, or why it could not be exported. */
  readonly deployment: Deployment | Unseen;
  readonly secret: SecretConfig;
  /** The secret's state in the outputs of the last finished update. */
  readonly before: SecretState | undefined;
  /** What the plan said of the secret. */
  readonly planned?: Action | undefined;
  /** Resources that the engine had begun and not finished, by name. */
  readonly unfinished?: readonly string[];
  /** What the engine had begun for this secret, or for all of them. */
  readonly acted?: Situation["acted"];
}

/** Checks the platform after an unfinished update: all at once, in bounded time. Never throws, changes nothing. */
export async function lookAt(look: Look): Promise<Situation> {
  const { deployment, before, secret } = look;
  const begun = isUnseen(deployment) ? undefined : begunOf(deployment.deployment.resources ?? [], secret.name);
  const known = knownOf(look, begun);
  const paths = pathsOf(secret);
  const [store, logins, services, row] = await Promise.all([
    paths.length === 0 ? undefined : seen(() => storeSeen(look.config, paths, known)),
    Promise.all(known.map(({ tried }) => tried())),
    servicesSeen(look, begun),
    isUnseen(deployment) || begun === undefined
      ? undefined
      : seen(() => rowSeen(look.config, deployment.deployment.resources ?? [], secret.name, begun)),
  ]);
  return {
    secret: secret.name,
    from: before?.slots[before.active],
    begun: isUnseen(deployment) ? deployment : (begun?.step ?? endOf(look)),
    store,
    logins,
    services,
    acted: look.acted ?? [],
    row,
  };
}

/** The end of a grace period activates nothing, so the state does not record its beginning. */
function endOf({ planned, before }: Look): Situation["begun"] {
  const generation = before === undefined ? undefined : previousGeneration(before);
  return planned === "REVOKE" && generation !== undefined ? { action: planned, generation } : null;
}

/** The credential in use before, and the one that was begun; one for each generation. */
function knownOf({ config, deployment, secret, before }: Look, begun: SecretState | undefined): Known[] {
  const resources = isUnseen(deployment) ? [] : (deployment.deployment.resources ?? []);
  const states = [before, begun].filter((state) => state !== undefined);
  const found = operationsOf(secret).known({ config, resources }, secret, states);
  return [...new Map(found.map((known) => [known.generation, known])).values()].toSorted(
    (a, b) => a.generation - b.generation,
  );
}

async function storeSeen(config: Config, paths: readonly string[], known: readonly Known[]): Promise<StoreSeen> {
  const held = await Promise.all(paths.map(async (path) => ({ path, found: await stored(config, path) })));
  return storeOf(held, known);
}

/**
 * Which generation values in the store belong to. The platform's own password may have no user name beside it.
 *
 * @param held what is at each path of the secret, the password or the secret key last
 */
export function storeOf(
  held: readonly { readonly path: string; readonly found: StoredValue | undefined }[],
  known: readonly Pick<Known, "generation" | "entries">[],
): StoreSeen {
  const documents = known.flatMap(({ entries }) => entries.filter(isDocument).map(({ path }) => path));
  const there = held.filter(({ path, found }) =>
    documents.includes(path) ? found?.document !== undefined : found?.value !== undefined,
  );
  if (there.length === 0) return "nothing";
  const isOf = ({ path, found }: (typeof held)[number], { entries }: Pick<Known, "entries">) =>
    entries.some((entry) => entry.path === path && isOfEntry(found, entry));
  const whole = known.find((credential) => there.every((one) => isOf(one, credential)));
  if (whole !== undefined && there.includes(held.at(-1) as (typeof held)[number]))
    return { generation: whole.generation };
  return there.every((one) => known.some((credential) => isOf(one, credential))) ? "half a pair" : "unknown value";
}

async function servicesSeen(
  { config, secret, deployment, unfinished = [] }: Look,
  begun: SecretState | undefined,
): Promise<ServiceSeen[]> {
  const { resources = [], pending_operations: pending = [] } = isUnseen(deployment) ? {} : deployment.deployment;
  const open = [...unfinished, ...pending.map(({ resource }) => nameOf(resource.urn))];
  const owner = groupsOf(config)
    .find((names) => names.includes(secret.name))
    ?.at(-1);
  const triggerOf = (state: SecretState) =>
    owner === undefined ? activation(state) : tagged(secret.name, activation(state));
  return Promise.all(
    placesOf(config, secret).map(async (place): Promise<ServiceSeen> => {
      const name =
        owner === undefined
          ? restartName(secret.name, place.service, place.hostName)
          : sharedRestartName(owner, place.service, place.hostName);
      const answer = await seen(() => askHealth(config, place));
      return {
        place: placeName(place),
        restarted: begun === undefined ? "no" : restartedOf(name, triggerOf(begun), resources, open),
        health: isUnseen(answer) ? answer : answer.healthy ? "healthy" : "not healthy",
      };
    }),
  );
}

/** Whether the state has a restart as done for this activation; `open` are those that the engine had begun. */
export function restartedOf(
  name: string,
  trigger: string,
  resources: readonly StateResource[],
  open: readonly string[],
): ServiceSeen["restarted"] {
  const { inputs = {} } = resources.find(({ urn }) => nameOf(urn) === name) ?? {};
  if (activationsIn(inputs).includes(trigger)) return "yes";
  return open.includes(name) ? "begun" : "no";
}

/** Whether the log has the row of a secret's step, by the step's own key. @throws AuditLogError */
export async function rowSeen(
  config: Config,
  resources: readonly StateResource[],
  secret: string,
  { step }: SecretState,
): Promise<"written" | "missing"> {
  const history = resources.find(({ urn }) => nameOf(urn) === `${slugOf(secret)}-audit-history`);
  if (history === undefined) return "missing";
  const key = `${history.outputs?.hex}/${secret}/${step.sequence}-${step.action}-${step.generation}`;
  const found = await readLog(config, (client) =>
    client.query("SELECT FROM secret_rotation_log WHERE step_key = $1 AND status = 'SUCCESS'", [key]),
  );
  return (found?.rowCount ?? 0) > 0 ? "written" : "missing";
}
