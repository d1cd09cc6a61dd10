import { tryLogin } from "../../clients/postgres";
import {
  type AlpacaKeyConfig,
  type Config,
  type DatabasePasswordConfig,
  type PostgresPasswordConfig,
  policyOf,
  referenceOf,
} from "../../config";
import { graceEndsAt, graceLimitAt } from "../../core/deadlines";
import type { SecretState } from "../../core/state";
import { seeOldLogins } from "../../kinds/postgres-password/old-logins";
import { oddWords } from "../../stores/write-entry";
import { loginsOf, pairEntries, pairsOf } from "./credentials";
import type { Stack } from "./facts";
import * as facts from "./facts";
import { rolledOutAt, type Sessions, sessionsOf, sessionWords } from "./sessions";
import type { Check } from "./validate";

/** This stack has the value: the store must hold it, it must work, and the one before must end in time. */
export function passwordChecks(
  { config, deployment, now }: Stack,
  secret: PostgresPasswordConfig,
  state: SecretState,
): Check[] {
  const { active, previous } = loginsOf(deployment, config, secret, state);
  const known = () => {
    if (active === undefined) throw new Error("the stack's state does not hold the value in use");
    return active;
  };
  return [
    {
      point: "secret updated",
      look: async () => sameAsStored(config, known().entries),
    },
    {
      point: "new credential works",
      look: async () => {
        const { outcome, evidence } = await tryLogin(referenceOf(secret.database), known());
        if (outcome !== "works") throw new Error(evidence);
        return evidence;
      },
    },
    { point: "services use it", look: () => sessions(secret, known().username, previous?.username, state, config) },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or nobody knows its value";
        const { outcome, evidence } = await tryLogin(referenceOf(secret.database), previous);
        if (outcome === "unknown") throw new Error(evidence);
        const works = outcome === "works";
        const policy = policyOf(config, secret);
        const inUse = (await seeOldLogins({ ...config, secrets: [secret] }, { [secret.name]: { state } }, now))[
          secret.name
        ];
        if (works && inUse !== undefined && inUse !== "" && now < graceLimitAt(state, policy)) {
          return `still valid, since it is in use: ${inUse}; revoked at ${facts.utc(graceLimitAt(state, policy))} in any case`;
        }
        return oldEnded(works, evidence, state, graceEndsAt(state, policy), now);
      },
    },
  ];
}

/** The operator has the pair: the store must hold it, Alpaca must take it, and the one before must end in time. */
export function keyChecks({ config, now }: Stack, secret: AlpacaKeyConfig, state: SecretState): Check[] {
  const { active, previous } = pairsOf(config, secret, state);
  return [
    {
      point: "secret updated",
      look: async () => {
        if (active === undefined)
          throw new Error(`the config has no pair with the label ${state.labels[state.active]}`);
        return sameAsStored(config, pairEntries(secret, active));
      },
    },
    {
      point: "new credential works",
      look: async () => {
        const pair = await facts.storedPair(config, secret);
        const [keyId, secretKey] = [pair?.keyId.value, pair?.secretKey.value];
        if (keyId === undefined || secretKey === undefined) throw new Error("the store holds no pair");
        const status = await facts.askAlpaca(config, { keyId, secretKey });
        if (status !== 200) throw new Error(`Alpaca answers ${status} to the pair in the store`);
        return "Alpaca answers 200 to the pair in the store";
      },
    },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or the config has it no more";
        const status = await facts.askAlpaca(config, previous);
        const end = graceEndsAt(state, policyOf(config, secret));
        return oldEnded(status === 200, `Alpaca answers ${status} to the pair before`, state, end, now);
      },
    },
  ];
}

/** @throws Error naming each path that holds something else; never a value */
async function sameAsStored(config: Config, entries: readonly { path: string; value: string }[]): Promise<string> {
  const found = await Promise.all(
    entries.map(async ({ path, value }) => ({ path, value, stored: await facts.stored(config, path) })),
  );
  const wrong = found.filter(({ value, stored }) => stored?.value !== value);
  if (wrong.length > 0) {
    const texts = wrong.map(
      ({ path, stored }) =>
        `${path} ${stored === undefined ? "is missing" : `holds another value (version ${stored.version}${oddWords(stored)})`}`,
    );
    throw new Error(`${texts.join("; ")}; \`rotation diagnose\` says what to do`);
  }
  return found.map(({ path, stored }) => `${path} version ${stored?.version}`).join(", ");
}

/** `pg_stat_activity`: sessions of the login in use, none of the previous one but a pooler's unused connections. */
export async function sessions(
  secret: DatabasePasswordConfig,
  username: string,
  before: string | undefined,
  state: SecretState,
  config: Config,
): Promise<string> {
  const current = await sessionsOf(secret, username);
  const old =
    before === undefined || before === username
      ? undefined
      : await sessionsOf(secret, before, await rolledOutAt(config, secret.name));
  if (old !== undefined && old.count > 0) {
    throw new Error(`${sessionWords(old)}, the previous login; \`rotation diagnose --fix\` restarts the services`);
  }
  if (current.count === 0)
    throw new Error(`no session uses ${username}; expected those of ${secret.restart.join(", ")}`);
  // The lab's calendar says nothing about when a session began.
  const { oldest } = current;
  if (before === username && config.lab?.clock === undefined && oldest !== null && oldest < new Date(state.step.at)) {
    throw new Error(`a session of ${username} is open since ${facts.utc(oldest)}, from before the rotation`);
  }
  const unused = old === undefined || old.unused === 0 ? "" : `; ${unusedWords(old)}`;
  return `${sessionWords(current)}${unused}`;
}

const unusedWords = ({ unused, role }: Sessions) =>
  `${unused} idle connection${unused === 1 ? "" : "s"} of ${role}, not used since the rotation (a pooler keeps such ones open for a while)`;

/** An old credential may work until its grace period ends, and not a day longer. */
function oldEnded(works: boolean, evidence: string, state: SecretState, end: Date, now: Date): string {
  if (!works) return `refused: ${evidence}`;
  if (state.revoked) throw new Error(`it still works although it was ended: ${evidence}`);
  if (now >= end)
    throw new Error(`its grace period ended at ${facts.utc(end)} and it still works; \`rotation run\` ends it`);
  return `still valid, as intended, until ${facts.utc(end)}`;
}
