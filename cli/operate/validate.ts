import { askHealth, placeName, placesOf, runAt } from "../../components/places";
import type { BroughtIn } from "../../components/restart-input";
import type { Config, SecretConfig } from "../../config";
import { utc } from "../../core/clock";
import { messageOf } from "../../core/errors";
import { illnessOf } from "../../core/health";
import { redact } from "../../core/redact";
import { activeGeneration, type SecretState } from "../../core/state";
import type { Check } from "../../kinds/kind-operations";
import { operationsOf } from "../../kinds/operations";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { inUseNow, unproven } from "./proven";
import { secretsToRedact } from "./secrets";
import { lastRow, readStack, type Stack } from "./stack";

/** One point of the runbook's validation checklist. */
export interface Point {
  readonly point: string;
  /** `skipped` if the config does not say how to check it. */
  readonly verdict: "ok" | "FAILED" | "skipped";
  readonly evidence: string;
}

/** The checklist of one secret. */
export interface Validation {
  readonly secret: string;
  readonly ok: boolean;
  readonly points: readonly Point[];
}

/** Checks every point of the checklist on the platform. Changes nothing. @throws ConfigError, UsageError */
export async function validate(project: Project, names: readonly string[]): Promise<Validation[]> {
  const stack = await readStack(project);
  const secrets = secretsToRedact(project, stack.config);
  return Promise.all(
    secretsNamed(stack.config, names).map(async (secret) => {
      const points = await Promise.all((await checksOf(stack, secret)).map((check) => carryOut(check, secrets)));
      return { secret: secret.name, ok: points.every(({ verdict }) => verdict !== "FAILED"), points };
    }),
  );
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

async function checksOf(stack: Stack, secret: SecretConfig): Promise<Check[]> {
  const state = stack.outputs[secret.name]?.state;
  if (state === undefined) {
    const look = () => Promise.reject(new Error("this stack has not adopted the secret yet: `rotation run` adopts it"));
    return [{ point: "secret updated", look }];
  }
  const { config } = stack;
  return [
    ...(await operationsOf(secret).validate(stack, secret, state)),
    { point: "services healthy", look: () => healthy(config, secret, inUseNow(stack, secret, state)) },
    { point: "logs clean", look: () => logsClean(config, secret, state) },
    { point: "trading functional", look: () => paperRun(config) },
    { point: "rotation logged", look: () => logged(config, secret, state) },
  ];
}

async function healthy(config: Config, secret: SecretConfig, inUse: BroughtIn<string>): Promise<string> {
  const answers = await Promise.all(
    placesOf(config, secret).map(async (place) => ({ place, verdict: await askHealth(config, place) })),
  );
  const ill = answers.filter(({ verdict }) => !verdict.healthy);
  if (ill.length > 0) {
    throw new Error(
      ill.map(({ place, verdict }) => `${placeName(place)}: ${illnessOf(place.service, verdict)}`).join("; "),
    );
  }
  const old = answers.flatMap(({ place, verdict }) => {
    const found = unproven(place.config, verdict, inUse);
    return found === undefined ? [] : [`${placeName(place)} does not use the credential in use: ${found}`];
  });
  if (old.length > 0) throw new Error(old.join("; "));
  return answers
    .map(({ place, verdict: { backend, shown } }) => {
      const about = [
        ...(backend === undefined ? [] : [`secrets from ${backend}`]),
        ...(shown === undefined ? [] : [`${place.config.proof?.field} ${shown}`]),
      ];
      return `${placeName(place)}${about.length === 0 ? "" : ` (${about.join(", ")})`}`;
    })
    .join(", ");
}

async function logsClean(config: Config, secret: SecretConfig, state: SecretState): Promise<string | undefined> {
  const { logs } = config.validation;
  if (logs === undefined) return undefined;
  const since = state.step.at;
  for (const place of placesOf(config, secret)) {
    const command = logs.replaceAll("{service}", place.service).replaceAll("{since}", since);
    const printed = (await runAt(config, place, command)).trim();
    if (printed !== "")
      throw new Error(`${placeName(place)}: ${printed.split("\n").slice(0, 3).join(" | ").slice(0, 300)}`);
  }
  return `no authentication error since ${utc(since)} in the logs of ${secret.restart.join(", ")}`;
}

async function paperRun(config: Config): Promise<string | undefined> {
  const { paperRun: run } = config.validation;
  if (run === undefined) return undefined;
  const host = run.host === undefined ? undefined : config.hosts[run.host];
  await runAt(config, { hostName: run.host, host }, run.command, run.timeout);
  return `${run.command}: exit 0`;
}

async function logged(config: Config, secret: SecretConfig, state: SecretState): Promise<string> {
  const row = await lastRow(config, secret.name);
  if (row === undefined) throw new Error("secret_rotation_log has no row of this secret");
  if (row.status !== "SUCCESS")
    throw new Error(`the last row (${row.id}) says ${row.action} ${row.status}: ${row.reason ?? ""}`);
  const expected = state.step.action === "REVOKE" ? state.step.generation : activeGeneration(state);
  if (row.generation !== null && row.generation !== expected) {
    throw new Error(`the last row (${row.id}) is about generation ${row.generation}, expected ${expected}`);
  }
  return `row ${row.id}: ${row.action} ${row.status} by ${row.rotatedBy}, ${utc(row.rotationDate)}`;
}
