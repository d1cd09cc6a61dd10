import { tryLogin } from "../../clients/postgres";
import {
  type Config,
  isLeased,
  isRotatedByVault,
  policyOf,
  referenceOf,
  type SecretConfig,
  type VaultStaticConfig,
} from "../../config";
import { messageOf } from "../../core/errors";
import { illnessOf } from "../../core/health";
import { redact } from "../../core/redact";
import { activeGeneration, type SecretState } from "../../core/state";
import type { Stack } from "./facts";
import * as facts from "./facts";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { configSecrets, environmentSecrets } from "./secrets";
import { leaseChecks } from "./validate-leases";
import { keyChecks, passwordChecks, sessions } from "./validate-stored";
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
        const { outcome, evidence } = await tryLogin(referenceOf(secret.database), await issuedLogin(config, secret));
        if (outcome !== "works") throw new Error(evidence);
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

async function healthy(config: Config, secret: SecretConfig): Promise<string> {
  const answers = await Promise.all(
    facts.placesOf(config, secret).map(async (place) => ({ place, verdict: await facts.askHealth(config, place) })),
  );
  const ill = answers.filter(({ verdict }) => !verdict.healthy);
  if (ill.length > 0) {
    throw new Error(
      ill.map(({ place, verdict }) => `${facts.placeName(place)}: ${illnessOf(place.service, verdict)}`).join("; "),
    );
  }
  return answers
    .map(({ place, verdict: { backend } }) => {
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
  await facts.runAt(config, { hostName: run.host, host }, run.command, run.timeout);
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
