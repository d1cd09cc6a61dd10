import type { SecretConfig } from "../../config";
import { begunOf } from "../../core/begun";
import { messageOf } from "../../core/errors";
import { redact } from "../../core/redact";
import type { SecretState } from "../../core/state";
import type { About, Finding } from "../../kinds/kind-operations";
import { operationsOf } from "../../kinds/operations";
import { serviceFindings } from "./findings/services";
import { stackFindings, tornFindings } from "./findings/stack";
import { lookAt } from "./look";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { inUseNow } from "./proven";
import { secretsToRedact } from "./secrets";
import { describeSituation } from "./situation";
import { lastRow, readStack, type Stack } from "./stack";

/** Checks a stack from the outside and names each problem. Changes nothing. @throws ConfigError, UsageError */
export async function diagnose(project: Project, names: readonly string[]): Promise<Finding[]> {
  const torn = tornFindings(project);
  // Nothing else can be checked while the state cannot be read.
  if (torn.length > 0) return torn;
  const stack = await readStack(project);
  const secrets = secretsToRedact(project, stack.config);
  const found = await Promise.all(secretsNamed(stack.config, names).map((secret) => secretFindings(stack, secret)));
  return [...stackFindings(stack), ...found.flat()].map(({ evidence, ...finding }) => ({
    ...finding,
    evidence: redact(evidence, secrets),
  }));
}

async function secretFindings(stack: Stack, secret: SecretConfig): Promise<Finding[]> {
  const state = stack.outputs[secret.name]?.state;
  const about: About = (found) => ({ secret: secret.name, ...found });
  // What an unfinished update wrote is not a problem of its own.
  if (begunOf(stack.deployment.deployment.resources ?? [], secret.name) !== undefined)
    return [await halfDone(stack, secret, about), ...(await serviceFindings(stack.config, secret, about, true))];
  if (state === undefined) return [];
  const own = await operationsOf(secret).diagnose(stack, secret, state, about);
  // If only a person can fix a problem, services stay unhealthy until then.
  const restartHelps = own.every(({ fix }) => fix !== undefined);
  return [
    ...own,
    ...(await serviceFindings(
      stack.config,
      unexplained(secret, own),
      about,
      restartHelps,
      inUseNow(stack, secret, state),
    )),
    ...(await logFindings(stack, secret, state, about)),
  ];
}

/** The secret with only those services that no finding explains yet. */
const unexplained = (secret: SecretConfig, found: readonly Finding[]): SecretConfig => ({
  ...secret,
  restart: secret.restart.filter((service) => !found.some((finding) => finding.service === service)),
});

async function halfDone(stack: Stack, secret: SecretConfig, about: About): Promise<Finding> {
  const { config, deployment, outputs } = stack;
  const [row, situation] = await Promise.all([
    lastRow(config, secret.name).catch(() => undefined),
    lookAt({ config, deployment, secret, before: outputs[secret.name]?.state }),
  ]);
  const failed = row?.status === "FAILED" ? [`row ${row.id}: ${row.reason ?? "FAILED"}.`] : [];
  return about({
    cause: "a rotation or a rollback is unfinished",
    evidence: [...failed, describeSituation(situation)].join(" "),
    command: stack.command("run"),
    hint: `finishes it; or go back: \`${stack.command(`rollback ${secret.name} --reason "it did not finish"`)}\``,
    fix: stack.finish,
  });
}

async function logFindings(stack: Stack, secret: SecretConfig, state: SecretState, about: About): Promise<Finding[]> {
  const row = await lastRow(stack.config, secret.name).catch(messageOf);
  const command = stack.command("audit verify");
  if (typeof row === "string") return [about({ cause: "the audit log cannot be read", evidence: row, command })];
  if (row !== undefined) return [];
  const evidence = `the stack is at generation ${state.slots[state.active]}`;
  return [about({ cause: "the audit log has no row of this secret", evidence, command })];
}
