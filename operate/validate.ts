import {
  type AlpacaKeyConfig,
  type Config,
  type DatabasePasswordConfig,
  isLeased,
  isRotatedByVault,
  type PostgresPasswordConfig,
  policyOf,
  type SecretConfig,
  type VaultStaticConfig,
} from "../config";
import { graceEndsAt } from "../rotation/next-state";
import { redact } from "../rotation/redact";
import { activeGeneration, type SecretState } from "../rotation/state";
import { messageOf } from "../steps/run-step";
import { loginsOf, pairsOf } from "./credentials";
import type { Stack } from "./facts";
import * as facts from "./facts";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { configSecrets, environmentSecrets } from "./secrets";
import { leaseChecks } from "./validate-leases";
import { issuedLogin, unseenRotation } from "./vault-facts";

/** One point of the runbook's validation checklist. */
export interface Point {
  readonly point: string;
  /** `skipped` where the config does not say how to look. */
  readonly verdict: "ok" | "FAILED" | "skipped";
  readonly evidence: string;
}

/** The checklist of one secret. */
export interface Validation {
  readonly secret: string;
  readonly ok: boolean;
  readonly points: readonly Point[];
}

/** Asks every point of the checklist on the outside. Touches nothing. @throws ConfigError, UsageError */
export async function validate(project: Project, names: readonly string[]): Promise<Validation[]> {
  const stack = await facts.readStack(project);
  const secrets = [...environmentSecrets(project.env), ...configSecrets(stack.config)];
  return Promise.all(
    secretsNamed(stack.config, names).map(async (secret) => {
      const points = await Promise.all(checksOf(stack, secret).map((check) => carryOut(check, secrets)));
      return { secret: secret.name, ok: points.every(({ verdict }) => verdict !== "FAILED"), points };
    }),
  );
}

export interface Check {
  readonly point: string;
  /** The evidence, or undefined for a point that the config does not say how to look at. Throws what is wrong. */
  readonly look: () => Promise<string | undefined>;
}

async function carryOut({ point, look }: Check, secrets: readonly string[]): Promise<Point> {
  try {
    const evidence = await look();
    if (evidence === undefined) return { point, verdict: "skipped", evidence: "not in the config" };
    return { point, verdict: "ok", evidence: redact(evidence, secrets) };
  } catch (error) {
    return { point, verdict: "FAILED", evidence: redact(messageOf(error), secrets) };
  }
}

function checksOf(stack: Stack, secret: SecretConfig): Check[] {
  const state = stack.outputs[secret.name]?.state;
  if (state === undefined) {
    const look = () => Promise.reject(new Error("this stack has not taken the secret over yet: `rotation run`"));
    return [{ point: "secret updated", look }];
  }
  const own =
    secret.kind === "alpaca-key"
      ? keyChecks(stack, secret, state)
      : isLeased(secret)
        ? leaseChecks(stack, secret, state)
        : isRotatedByVault(secret)
          ? vaultChecks(stack, secret, state)
          : passwordChecks(stack, secret, state);
  const { config } = stack;
  return [
    ...own,
    { point: "services healthy", look: () => healthy(config, secret) },
    { point: "logs clean", look: () => logsClean(config, secret, state) },
    { point: "trading functional", look: () => paperRun(config) },
    { point: "rotation logged", look: () => logged(config, secret, state) },
  ];
}

function passwordChecks(
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
        const { works, evidence } = await facts.tryLogin(secret, known());
        if (!works) throw new Error(evidence);
        return evidence;
      },
    },
    { point: "services use it", look: () => sessions(secret, known().username, previous?.username, state, config) },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or nobody knows its value";
        const { works, evidence } = await facts.tryLogin(secret, previous);
        return oldEnded(works, evidence, state, graceEndsAt(state, policyOf(config, secret)), now);
      },
    },
  ];
}

/** Vault has the value: what it hands out must work, and services must have started since Vault rotated it last. */
function vaultChecks({ config, now }: Stack, secret: VaultStaticConfig, state: SecretState): Check[] {
  return [
    {
      point: "secret updated",
      look: async () => {
        const unseen = await unseenRotation(config, secret, state);
        if (unseen !== undefined)
          throw new Error(`Vault rotated it at ${unseen}, and the services were not restarted since: \`rotation run\``);
        return `Vault rotated it last at ${state.vaultRotation ?? "a time that is not known"}`;
      },
    },
    {
      point: "new credential works",
      look: async () => {
        const { works, evidence } = await facts.tryLogin(secret, await issuedLogin(config, secret));
        if (!works) throw new Error(evidence);
        return `${evidence} with what Vault hands out`;
      },
    },
    { point: "services use it", look: () => sessions(secret, secret.role, undefined, state, config) },
    {
      point: "old credential invalid",
      look: async () => {
        const age = now.getTime() - Date.parse(state.rotatedAt);
        if (age > policyOf(config, secret).maxAge) throw new Error(`Vault has not rotated it since ${state.rotatedAt}`);
        return "a role has one password: Vault's rotation ended the one before";
      },
    },
  ];
}

function keyChecks({ config, now }: Stack, secret: AlpacaKeyConfig, state: SecretState): Check[] {
  const { active, previous } = pairsOf(config, secret, state);
  return [
    {
      point: "secret updated",
      look: async () => {
        if (active === undefined)
          throw new Error(`the config has no pair with the label ${state.labels[state.active]}`);
        return sameAsStored(config, [
          { path: secret.keyIdPath, value: active.keyId },
          { path: secret.secretKeyPath, value: active.secretKey },
        ]);
      },
    },
    {
      point: "new credential works",
      look: async () => {
        const pair = await facts.storedPair(config, secret);
        if (pair === undefined) throw new Error("the store holds no pair");
        const status = await facts.askAlpaca(config, { keyId: pair.keyId.value, secretKey: pair.secretKey.value });
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
        `${path} ${stored === undefined ? "is missing" : `holds another value (version ${stored.version})`}`,
    );
    throw new Error(`${texts.join("; ")}; \`rotation diagnose\` says what to do`);
  }
  return found.map(({ path, stored }) => `${path} version ${stored?.version}`).join(", ");
}

/** `pg_stat_activity`: sessions of the login in use, none of the one before. */
async function sessions(
  secret: DatabasePasswordConfig,
  username: string,
  before: string | undefined,
  state: SecretState,
  config: Config,
): Promise<string> {
  const found = await facts.sessionsOf(secret, [username, ...(before === undefined ? [] : [before])]);
  const old = found.find(({ role }) => role === before && before !== username);
  if (old !== undefined) {
    throw new Error(`${facts.sessionWords(old)}, the login before; \`rotation diagnose --fix\` restarts the services`);
  }
  const current = found.find(({ role }) => role === username);
  if (current === undefined)
    throw new Error(`no session uses ${username}; expected those of ${secret.restart.join(", ")}`);
  // The lab's calendar says nothing about when a session began.
  const { oldest } = current;
  if (before === username && config.lab?.clock === undefined && oldest !== null && oldest < new Date(state.step.at)) {
    throw new Error(`a session of ${username} is open since ${facts.utc(oldest)}, from before the rotation`);
  }
  return facts.sessionWords(current);
}

/** An old credential may work until its grace period ends, and not a day longer. */
export function oldEnded(works: boolean, evidence: string, state: SecretState, end: Date, now: Date): string {
  if (!works) return `refused: ${evidence}`;
  if (state.revoked) throw new Error(`it still works although it was ended: ${evidence}`);
  if (now >= end)
    throw new Error(`its grace period ended at ${facts.utc(end)} and it still works; \`rotation run\` ends it`);
  return `still valid, as intended, until ${facts.utc(end)}`;
}

async function healthy(config: Config, secret: SecretConfig): Promise<string> {
  const answers = await Promise.all(
    facts.placesOf(config, secret).map(async (place) => ({ place, answer: await facts.askHealth(config, place) })),
  );
  const ill = answers.filter(({ answer }) => !facts.isHealthy(answer));
  if (ill.length > 0) {
    throw new Error(
      ill
        .map(({ place, answer }) => `${facts.placeName(place)}: ${answer.trim().slice(0, 200) || "(no answer)"}`)
        .join("; "),
    );
  }
  return answers
    .map(({ place, answer }) => {
      const backend = /"secrets_backend"\s*:\s*"([^"]+)"/.exec(answer)?.[1];
      return `${facts.placeName(place)}${backend === undefined ? "" : ` (secrets from ${backend})`}`;
    })
    .join(", ");
}

async function logsClean(config: Config, secret: SecretConfig, state: SecretState): Promise<string | undefined> {
  const { logs } = config.validation;
  if (logs === undefined) return undefined;
  const since = state.step.at;
  for (const place of facts.placesOf(config, secret)) {
    const command = logs.replaceAll("{service}", place.service).replaceAll("{since}", since);
    const printed = (await facts.runAt(config, place, command)).trim();
    if (printed !== "")
      throw new Error(`${facts.placeName(place)}: ${printed.split("\n").slice(0, 3).join(" | ").slice(0, 300)}`);
  }
  return `no authentication error since ${facts.utc(since)} in the logs of ${secret.restart.join(", ")}`;
}

async function paperRun(config: Config): Promise<string | undefined> {
  const { paperRun: run } = config.validation;
  if (run === undefined) return undefined;
  const host = run.host === undefined ? undefined : config.hosts[run.host];
  const place = { service: "", config: { hosts: [], health: "", timeout: run.timeout }, hostName: run.host, host };
  if (host === undefined) await facts.runHere(run.command, run.timeout);
  else
    await facts.runAt(
      config,
      place,
      `timeout ${Math.ceil(run.timeout / 1000)} sh -c '${run.command.replaceAll("'", "'\\''")}'`,
    );
  return `${run.command}: exit 0`;
}

async function logged(config: Config, secret: SecretConfig, state: SecretState): Promise<string> {
  const row = await facts.lastRow(config, secret.name);
  if (row === undefined) throw new Error("secret_rotation_log has no row of this secret");
  if (row.status !== "SUCCESS")
    throw new Error(`the last row (${row.id}) says ${row.action} ${row.status}: ${row.reason ?? ""}`);
  const expected = state.step.action === "REVOKE" ? state.step.generation : activeGeneration(state);
  if (row.generation !== null && row.generation !== expected) {
    throw new Error(`the last row (${row.id}) is about generation ${row.generation}, expected ${expected}`);
  }
  return `row ${row.id}: ${row.action} ${row.status} by ${row.rotatedBy}, ${facts.utc(row.rotationDate)}`;
}
