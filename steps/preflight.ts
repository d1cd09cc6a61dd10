import { type CheckResult, failureOf, overridesOf, preflightInput, runChecks } from "../components/preflight/preflight";
import { StepError } from "../core/errors";
import { findRotation } from "../kinds/vault-engine/role";
import { vaultClientOf } from "../stores/vault/client";
import { runStep } from "./run-step";

/** Looks at everything a rotation will touch, all of it at once, and touches nothing. */
await runStep(preflightInput, async (given) => {
  const startedAt = new Date().toISOString();
  const results = await runChecks(given);
  const failure = failureOf(given, results);
  if (failure !== undefined) throw new StepError(failure);
  const { store, vaultRole } = given;
  const rotation = vaultRole === undefined ? undefined : await findRotation(vaultClientOf(store), vaultRole);
  return {
    startedAt,
    ...(rotation === undefined ? {} : { lastVaultRotation: rotation }),
    overrides: overridesOf(given, results),
    ...warningsOf(results),
    checks: results.map(({ name, evidence }) => ({ name, evidence })),
  };
});

/** They get into the audit row. */
function warningsOf(results: readonly CheckResult[]) {
  const warnings = results.flatMap((result) => result.warnings ?? []);
  return warnings.length === 0 ? {} : { warnings };
}
