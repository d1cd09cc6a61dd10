import { within } from "../../clients/poll";
import { tryLogin } from "../../clients/postgres";
import {
  type AlpacaKeyConfig,
  type Config,
  type DatabasePasswordConfig,
  isLeased,
  isMadeByVault,
  type PostgresPasswordConfig,
  pathsOf,
  referenceOf,
  type SecretConfig,
} from "../../config";
import { begunOf } from "../../core/begun";
import { messageOf } from "../../core/errors";
import { restartName, slugOf } from "../../core/resource-names";
import {
  type Action,
  activation,
  EMPTY,
  other,
  previousGeneration,
  type SecretState,
  type SlotIndex,
} from "../../core/state";
import type { StoreEntry } from "../../stores/store";
import { readLog } from "./audit-log";
import { loginsOf, pairEntries, pairsOf } from "./credentials";
import type { Deployment, ExportedResource } from "./engine";
import { nameOf } from "./engine-names";
import * as facts from "./facts";
import { isUnseen, type LoginSeen, type ServiceSeen, type Situation, type StoreSeen, type Unseen } from "./situation";
import { issuedLogin } from "./vault-facts";

type StateResource = Pick<ExportedResource, "urn" | "inputs" | "outputs">;

/** Longer nobody waits for one answer: what does not come by then counts as not seen. */
const LIMIT_MS = 20_000;

/** What is looked at with. */
export interface Look {
  readonly config: Config;
  /** The state after the update; undefined where it could not be exported, with the reason. */
  readonly deployment: Deployment | Unseen;
  readonly secret: SecretConfig;
  /** The secret's state in the outputs of the last finished update. */
  readonly before: SecretState | undefined;
  /** What the plan was to do with the secret. */
  readonly planned?: Action | undefined;
  /** Resources that the engine had begun with and not come to an end with, by name. */
  readonly unfinished?: readonly string[];
}

/** Looks at the platform after an update that did not finish: all at once, in bounded time. Never throws, touches nothing. */
export async function lookAt(look: Look): Promise<Situation> {
  const { deployment, before, secret } = look;
  const begun = isUnseen(deployment) ? undefined : begunOf(deployment.deployment.resources ?? [], secret.name);
  const known = isUnseen(deployment) ? [] : knownOf(look, deployment, begun);
  const [store, logins, services, row] = await Promise.all([
    isMadeByVault(secret) ? undefined : seen(() => storeSeen(look.config, secret, known)),
    isMadeByVault(secret) ? vaultLogins(look, begun) : Promise.all(known.map(({ tried }) => tried())),
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
    row,
  };
}

/** The end of a grace period activates nothing, so that the state has no record of its beginning. */
function endOf({ planned, before }: Look): Situation["begun"] {
  const generation = before === undefined ? undefined : previousGeneration(before);
  return planned === "REVOKE" && generation !== undefined ? { action: planned, generation } : null;
}

/** A credential that the stack knows: what the store holds of it, and whether it works. */
interface Known {
  readonly generation: number;
  readonly entries: readonly StoreEntry[];
  readonly tried: () => Promise<LoginSeen>;
}

/** The credential in use before, and the one that was begun; of each generation one. */
function knownOf(look: Look, deployment: Deployment, begun: SecretState | undefined): Known[] {
  const { config, secret, before } = look;
  const states = [before, begun].filter((state) => state !== undefined);
  const found = states.flatMap((state) =>
    secret.kind === "alpaca-key"
      ? knownPairs(config, secret, state)
      : isMadeByVault(secret)
        ? []
        : knownLogins(config, deployment, secret, state),
  );
  return [...new Map(found.map((known) => [known.generation, known])).values()].toSorted(
    (a, b) => a.generation - b.generation,
  );
}

function knownLogins(
  config: Config,
  deployment: Deployment,
  secret: PostgresPasswordConfig,
  state: SecretState,
): Known[] {
  const { active, previous } = loginsOf(deployment, config, secret, state);
  return [active, previous].flatMap((login) => {
    if (login === undefined) return [];
    const { generation, entries, username, password } = login;
    return [{ generation, entries, tried: () => tryDatabase(secret, { generation, username, password }) }];
  });
}

async function tryDatabase(
  { database }: DatabasePasswordConfig,
  { generation, username, password }: { generation: number; username: string; password: string },
): Promise<LoginSeen> {
  const answer = await seen(async () => {
    const { outcome, evidence } = await tryLogin(referenceOf(database), { username, password });
    return outcome === "unknown" ? { unseen: evidence } : outcome;
  });
  return { generation, name: username, of: "database", answer };
}

function knownPairs(config: Config, secret: AlpacaKeyConfig, state: SecretState): Known[] {
  const pairs = pairsOf(config, secret, state);
  const slots: [SlotIndex, typeof pairs.active][] = [
    [state.active, pairs.active],
    [other(state.active), pairs.previous],
  ];
  return slots.flatMap(([slot, pair]) => {
    const generation = state.slots[slot];
    if (pair === undefined || generation === EMPTY) return [];
    const tried = async (): Promise<LoginSeen> => ({
      generation,
      name: pair.label,
      of: "Alpaca",
      answer: await seen(async () => ((await facts.askAlpaca(config, pair)) === 200 ? "works" : "refused")),
    });
    return [{ generation, entries: pairEntries(secret, pair), tried }];
  });
}

/** Of what Vault makes nobody knows an earlier value: what it hands out now is tried. */
async function vaultLogins({ config, secret, before }: Look, begun: SecretState | undefined): Promise<LoginSeen[]> {
  if (!isMadeByVault(secret) || isLeased(secret)) return [];
  const state = begun ?? before;
  if (state === undefined) return [];
  const generation = state.slots[state.active];
  const login = await seen(() => issuedLogin(config, secret));
  if (isUnseen(login)) return [{ generation, name: secret.role, of: "database" as const, answer: login }];
  return [await tryDatabase(secret, { generation, ...login })];
}

async function storeSeen(config: Config, secret: SecretConfig, known: readonly Known[]): Promise<StoreSeen> {
  const paths = pathsOf(secret);
  const held = await Promise.all(
    paths.map(async (path) => ({ path, value: (await facts.stored(config, path))?.value })),
  );
  return storeOf(held, known);
}

/**
 * Which generation values in the store belong to. A platform's own password may have no user name beside it.
 *
 * @param held what is at each path of the secret, the password or the secret key last
 */
export function storeOf(
  held: readonly { readonly path: string; readonly value: string | undefined }[],
  known: readonly Pick<Known, "generation" | "entries">[],
): StoreSeen {
  const there = held.filter(({ value }) => value !== undefined);
  if (there.length === 0) return "nothing";
  const isOf = (found: (typeof held)[number], { entries }: Pick<Known, "entries">) =>
    entries.some(({ path, value }) => path === found.path && value === found.value);
  const whole = known.find((credential) => there.every((found) => isOf(found, credential)));
  if (whole !== undefined && held.at(-1)?.value !== undefined) return { generation: whole.generation };
  return there.every((found) => known.some((credential) => isOf(found, credential))) ? "half a pair" : "unknown value";
}

async function servicesSeen(
  { config, secret, deployment, unfinished = [] }: Look,
  begun: SecretState | undefined,
): Promise<ServiceSeen[]> {
  const { resources = [], pending_operations: pending = [] } = isUnseen(deployment) ? {} : deployment.deployment;
  const open = [...unfinished, ...pending.map(({ resource }) => nameOf(resource.urn))];
  return Promise.all(
    facts.placesOf(config, secret).map(async (place): Promise<ServiceSeen> => {
      const name = restartName(secret.name, place.service, place.hostName);
      const answer = await seen(() => facts.askHealth(config, place));
      return {
        place: facts.placeName(place),
        restarted: begun === undefined ? "no" : restartedOf(name, activation(begun), resources, open),
        health: isUnseen(answer) ? answer : answer.healthy ? "healthy" : "not healthy",
      };
    }),
  );
}

/** Whether the state has a restart as done for this activation; `open` are those that the engine had begun with. */
export function restartedOf(
  name: string,
  trigger: string,
  resources: readonly StateResource[],
  open: readonly string[],
): ServiceSeen["restarted"] {
  const triggers = resources.find(({ urn }) => nameOf(urn) === name)?.inputs?.triggers;
  if (Array.isArray(triggers) && triggers[0] === trigger) return "yes";
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

/** An answer, or why there is none. */
async function seen<T>(ask: () => Promise<T>): Promise<T | Unseen> {
  try {
    return await within(LIMIT_MS, ask(), () => new Error(`no answer within ${LIMIT_MS / 1000} s`));
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}
